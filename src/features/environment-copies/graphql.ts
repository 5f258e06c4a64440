/** Copies of an environment's configuration in the graph. */
import { builder } from '../../graphql/builder.ts';
import { enumValues } from '../../graphql/enum-values.ts';
import { changed, defineMutation, PLAN_CODES } from '../../graphql/payload.ts';
import { type CopiedPart, copyEnvironmentConfiguration, type PartName } from './service.ts';

const DESCRIPTIONS: Record<PartName, string> = {
  variables: 'Variables that are not sensitive.',
  flags: 'Values of feature flags.',
  apis: 'APIs with their scopes, but for the management API.',
  applications:
    'Applications with their settings, URLs and property values, and their authorisation for APIs of the same audience, but for the management API. A copy has a secret that nobody knows: rotate it to have one. A machine of one organization is not copied.',
  webhooks: 'Webhooks, switched off.',
  policies: 'Policies, second factors and passkeys included. They are replaced.',
  appearance: 'The brand but for its pictures, the languages, and the texts of the pages. They are replaced.',
};

const Part = builder.enumType('EnvironmentPart', {
  description: 'What can be copied from one environment to another.',
  values: enumValues(DESCRIPTIONS),
});

const CopiedEnvironmentPart = builder.objectRef<CopiedPart>('CopiedEnvironmentPart').implement({
  description: 'What came of copying one part.',
  open: 'counts what the caller’s own change did',
  fields: (t) => ({
    part: t.expose('part', { type: Part, description: 'What was copied.' }),
    copied: t.exposeInt('copied', { description: 'How many are new in the target; 1 for policies and the appearance.' }),
    skipped: t.exposeInt('skipped', { description: 'How many were left: the target has them already, or they are not to be copied.' }),
  }),
});

defineMutation({
  name: 'copyEnvironmentConfiguration',
  description:
    'Copies how one environment is set up to another of the same business. What the target has already (the same key, audience, or name and kind) stays as it is; only policies and the appearance are replaced. No user and no secret is copied. Takes the permissions to read every part in the source and to write it in the target.',
  policy: { permission: copyEnvironmentConfiguration.permission },
  previews: true,
  codes: {
    ...PLAN_CODES,
    NO_PARTS: 'Nothing was said to be copied.',
    SAME_ENVIRONMENT: 'The source is the target.',
    OTHER_BUSINESS: 'The environments are of two businesses.',
  },
  input: (t) => ({
    sourceEnvironmentId: t.id({ required: true, description: 'Where it is copied from.' }),
    targetEnvironmentId: t.id({ required: true, description: 'Where it is copied to.' }),
    parts: t.field({ type: [Part], required: true, description: 'What is copied.' }),
  }),
  run: (ctx, input) => copyEnvironmentConfiguration(ctx, input),
  payload: (t) => ({
    environment: changed(t, 'Environment', 'The target.'),
    parts: t.field({
      type: [CopiedEnvironmentPart],
      nullable: true,
      description: 'What came of each part.',
      resolve: ({ result }) => (result ? [...result.parts] : null),
    }),
  }),
});
