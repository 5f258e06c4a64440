/** Terms, and who has accepted them, in the graph. */
import type { TermsAcceptance } from '../../db/generated/client/client.ts';
import { builder } from '../../graphql/builder.ts';
import { changed, defineMutation } from '../../graphql/payload.ts';
import { type Terms, updateEnvironmentTerms } from './service.ts';

/** How many acceptances are shown of one person. */
const SHOWN = 20;

const WORDS = {
  termsUri: 'Where the terms of service are.',
  privacyUri: 'Where the privacy policy is.',
  isAcceptanceRequired:
    'Whether people have to say that they accept them: when they sign up, and at their next sign-in after a change. Else the page says that going on means so.',
};

const EnvironmentTerms = builder.objectRef<Terms & { readonly environmentId: string }>('EnvironmentTerms').implement({
  description: 'What people accept who sign up.',
  permission: 'read:policies',
  fields: (t) => ({
    termsUri: t.exposeString('termsUri', { nullable: true, description: WORDS.termsUri }),
    privacyUri: t.exposeString('privacyUri', { nullable: true, description: WORDS.privacyUri }),
    isAcceptanceRequired: t.exposeBoolean('isRequired', { nullable: true, description: WORDS.isAcceptanceRequired }),
    version: t.exposeInt('version', { nullable: true, description: 'Counts their changes.' }),
  }),
});

builder.prismaObjectField('Environment', 'terms', (t) =>
  t.field({
    type: EnvironmentTerms,
    nullable: true,
    permission: 'read:policies',
    description: 'What people accept who sign up.',
    select: { id: true, termsUri: true, privacyUri: true, termsVersion: true, isAcceptanceRequired: true },
    resolve: ({ id, termsUri, privacyUri, termsVersion, isAcceptanceRequired }) => ({
      ...{ environmentId: id, termsUri, privacyUri },
      ...{ version: termsVersion, isRequired: isAcceptanceRequired },
    }),
  }),
);

const Acceptance = builder.objectRef<TermsAcceptance>('TermsAcceptance').implement({
  description: 'That a person accepted the terms as they were.',
  permission: 'read:users',
  fields: (t) => ({
    version: t.exposeInt('version', { nullable: true, description: 'Which version of them.' }),
    termsUri: t.exposeString('termsUri', { nullable: true, description: 'Where the terms of service were.' }),
    privacyUri: t.exposeString('privacyUri', { nullable: true, description: 'Where the privacy policy was.' }),
    isExplicit: t.exposeBoolean('isExplicit', {
      nullable: true,
      description: 'Whether the person said so; false: the page said that going on means so.',
    }),
    acceptedAt: t.expose('acceptedAt', { type: 'DateTime', nullable: true, description: 'When.' }),
  }),
});

builder.prismaObjectField('User', 'termsAcceptances', (t) =>
  t.field({
    type: [Acceptance],
    nullable: true,
    permission: 'read:users',
    description: `The versions of the terms that the person has accepted: the latest ${SHOWN}, newest first.`,
    select: { termsAcceptances: { orderBy: { version: 'desc' }, take: SHOWN } },
    resolve: ({ termsAcceptances }) => termsAcceptances,
  }),
);

defineMutation({
  name: 'updateEnvironmentTerms',
  description: 'Changes the terms of service and the privacy policy that people accept. Another address is a new version of them.',
  policy: { permission: updateEnvironmentTerms.permission },
  versioned: true,
  codes: {
    INVALID_URL: 'Not an https URL.',
    TOO_LONG: 'The URL is too long.',
    INVALID_TEXT: 'The URL holds control characters.',
    NO_TERMS: 'There is nothing to accept.',
  },
  input: (t) => ({
    environmentId: t.id({ description: 'A machine token may leave it out: its own.' }),
    termsUri: t.string({ description: `${WORDS.termsUri} Absent: unchanged; null: none.` }),
    privacyUri: t.string({ description: `${WORDS.privacyUri} Absent: unchanged; null: none.` }),
    isAcceptanceRequired: t.boolean({ description: `${WORDS.isAcceptanceRequired} Absent: unchanged.` }),
    isRevised: t.boolean({ description: 'Whether something new stands at the same addresses: true makes a new version.' }),
  }),
  run: (ctx, input) => updateEnvironmentTerms(ctx, input),
  payload: (t) => ({ environment: changed(t, 'Environment', 'The environment.') }),
});
