/** What people allowed applications, in the graph. */
import { builder } from '../../graphql/builder.ts';
import { registerRow } from '../../graphql/node.ts';
import { changed, defineMutation } from '../../graphql/payload.ts';
import { revokeUserConsent } from './service.ts';

builder.prismaObject('Consent', {
  description: 'What a person allowed an application that nobody of the business has looked at.',
  select: { environmentId: true },
  permission: 'read:user_sessions',
  fields: (t) => ({
    application: t.relation('application', { nullable: true, permission: 'read:applications', description: 'Who asked.' }),
    scopes: t.exposeStringList('scopes', { nullable: true, description: 'The scopes that the person allowed.' }),
    audiences: t.exposeStringList('audiences', { nullable: true, description: 'The audiences of the APIs that they are for.' }),
    givenAt: t.expose('givenAt', { type: 'DateTime', nullable: true, description: 'When the person last allowed something.' }),
  }),
});
registerRow('Consent', ['environment', 'user', 'application']);

builder.prismaObjectField('User', 'consents', (t) =>
  t.relatedConnection('consents', {
    cursor: 'environmentId_userId_applicationId',
    totalCount: true,
    nullable: true,
    permission: 'read:user_sessions',
    description: 'What the person allowed applications that registered or described themselves, latest first.',
    query: { orderBy: [{ givenAt: 'desc' }, { applicationId: 'desc' }] },
  }),
);

defineMutation({
  name: 'revokeUserConsent',
  description:
    'Withdraws what a user allowed an application: its refresh tokens for the user end, this server refuses its access tokens, and it has to ask again.',
  policy: { permission: revokeUserConsent.permission },
  previews: true,
  codes: {},
  input: (t) => ({
    userId: t.id({ required: true, description: 'The user.' }),
    applicationId: t.id({ required: true, description: 'The application, which may be one of the business’s own.' }),
  }),
  run: (ctx, input) => revokeUserConsent(ctx, input),
  payload: (t) => ({ user: changed(t, 'User', 'The user.') }),
});
