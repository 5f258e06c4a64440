/** Authorisations of applications for APIs in the graph. */
import { builder } from '../../../graphql/builder.ts';
import { registerRow } from '../../../graphql/node.ts';
import { changed, defineMutation } from '../../../graphql/payload.ts';
import { addApplicationScope, removeApplicationScope, updateApiApplications } from './service.ts';

builder.prismaObject('ApplicationApi', {
  name: 'ApiAuthorization',
  description: 'That an application may be given tokens for an API.',
  select: { environmentId: true },
  permission: 'read:apis',
  fields: (t) => ({
    application: t.relation('application', { nullable: true, permission: 'read:applications', description: 'Who is given the tokens.' }),
    api: t.relation('api', { nullable: true, description: 'What they are for.' }),
    scopes: t.exposeStringList('scopes', { nullable: true, permission: 'read:api_scopes', description: 'What they are good for there.' }),
  }),
});
registerRow('ApiAuthorization', ['environment', 'application', 'api']);

builder.prismaObjectField('Api', 'applications', (t) =>
  t.relatedConnection('applications', {
    cursor: 'environmentId_applicationId_apiId',
    totalCount: true,
    nullable: true,
    permission: 'read:apis',
    description: 'The applications that are authorised for it, oldest first.',
    query: { orderBy: { applicationId: 'asc' } },
  }),
);
builder.prismaObjectField('Application', 'apis', (t) =>
  t.relatedConnection('apis', {
    cursor: 'environmentId_applicationId_apiId',
    totalCount: true,
    nullable: true,
    permission: 'read:apis',
    description: 'The APIs that it is authorised for, oldest first.',
    query: { orderBy: { apiId: 'asc' } },
  }),
);

const AuthorizeApplication = builder.inputType('AuthorizeApplicationInput', {
  description: 'An application, and what its tokens for an API may be good for.',
  fields: (t) => ({
    applicationId: t.id({ required: true, description: 'The application.' }),
    scopes: t.stringList({
      description: 'All of them from now on. Absent: unchanged for an application that is authorised already, none for another.',
    }),
  }),
});

const UNKNOWN_SCOPE = { UNKNOWN_SCOPE: 'The API has no such scope.' };
const NOT_AUTHORIZED = { NOT_AUTHORIZED: 'The application is not authorised for the API.' };
const HELD = 'Scopes of the management API can be given only by who holds them.';

defineMutation({
  name: 'updateApiApplications',
  description: `Authorises applications for an API, or takes that from them. What is taken away counts at once in the graph. ${HELD}`,
  policy: { permission: updateApiApplications.permission },
  previews: true,
  codes: {
    ...UNKNOWN_SCOPE,
    TOO_MANY: 'More than 100 applications.',
    ORGANIZATION_MACHINE: 'A machine of one organization is not given tokens for the management API.',
    DYNAMIC_APPLICATION: 'An application that registered itself is not given tokens for the management API.',
  },
  input: (t) => ({
    apiId: t.id({ required: true, description: 'The API.' }),
    authorize: t.field({ type: [AuthorizeApplication], description: 'Applications that are given tokens for it, at most 100.' }),
    revoke: t.idList({ description: 'Applications that are given none any more, at most 100.' }),
  }),
  run: (ctx, input) => updateApiApplications(ctx, input),
  payload: (t) => ({ api: changed(t, 'Api', 'The API.') }),
});

for (const [name, run, description] of [
  ['addApplicationScope', addApplicationScope, `Lets an application have one more scope of an API that it is authorised for. ${HELD}`],
  ['removeApplicationScope', removeApplicationScope, 'Takes a scope of an API from an application. In the graph it counts at once.'],
] as const)
  defineMutation({
    name,
    description,
    policy: { permission: run.permission },
    previews: true,
    codes: { ...NOT_AUTHORIZED, ...(name === 'addApplicationScope' && UNKNOWN_SCOPE) },
    input: (t) => ({
      apiId: t.id({ required: true, description: 'The API.' }),
      applicationId: t.id({ required: true, description: 'The application.' }),
      scope: t.string({ required: true, description: 'The scope’s name.' }),
    }),
    run: (ctx, input) => run(ctx, input),
    payload: (t) => ({
      application: changed(t, 'Application', 'The application.', ({ environmentId, applicationId }) => ({
        environmentId,
        id: applicationId,
      })),
    }),
  });
