/** Every feature's cases. What is filled later may use what was filled before. */
import { apiKeys } from './api-keys.ts';
import { apis } from './apis.ts';
import { applications } from './applications.ts';
import { auditLog } from './audit.ts';
import { brands } from './brands.ts';
import { businessPlans } from './business-plans.ts';
import { businesses } from './businesses.ts';
import type { FeatureCases, MutationCase } from './cases.ts';
import { consents } from './consents.ts';
import { emailSenders } from './email-senders.ts';
import { environmentCopies } from './environment-copies.ts';
import { environmentLanguages } from './environment-languages.ts';
import { environmentPolicies } from './environment-policies.ts';
import { environmentVariables } from './environment-variables.ts';
import { environments } from './environments.ts';
import { flags } from './flags.ts';
import { heldScopes } from './held-scopes.ts';
import { identities } from './identities.ts';
import { imports } from './imports.ts';
import { logos } from './logos.ts';
import { members } from './members.ts';
import { mfaFactors } from './mfa-factors.ts';
import { operations } from './operations.ts';
import { organizationBrands } from './organization-brands.ts';
import { organizationInvitations } from './organization-invitations.ts';
import { organizationPolicies } from './organization-policies.ts';
import { organizations } from './organizations.ts';
import { pagePreviews } from './page-previews.ts';
import { pageTexts } from './page-texts.ts';
import { passkeys } from './passkeys.ts';
import { permissions } from './permissions.ts';
import { phoneSenders } from './phone-senders.ts';
import { properties } from './properties.ts';
import { recovery } from './recovery.ts';
import { roles } from './roles.ts';
import { sessions } from './sessions.ts';
import { signingKeys } from './signing-keys.ts';
import { subscribers } from './subscribers.ts';
import { team } from './team.ts';
import { teamPolicies } from './team-policies.ts';
import { terms } from './terms.ts';
import { users } from './users.ts';
import { webhooks } from './webhooks.ts';

export const FEATURES: readonly FeatureCases[] = [
  businesses,
  businessPlans,
  team,
  teamPolicies,
  permissions,
  roles,
  flags,
  environments,
  environmentCopies,
  brands,
  environmentLanguages,
  environmentPolicies,
  environmentVariables,
  phoneSenders,
  users,
  terms,
  organizations,
  members,
  apis,
  heldScopes,
  apiKeys,
  applications,
  operations,
  organizationPolicies,
  organizationBrands,
  logos,
  imports,
  properties,
  identities,
  sessions,
  consents,
  recovery,
  mfaFactors,
  pagePreviews,
  pageTexts,
  passkeys,
  signingKeys,
  subscribers,
  organizationInvitations,
  webhooks,
  emailSenders,
  auditLog,
];

interface NamedCase extends MutationCase {
  readonly mutation: string;
  /** What its payload is asked for. */
  readonly selection: string;
  /** Where in the answer the objects are that it was asked to change. */
  readonly place: readonly (string | number)[];
}

const ERRORS = 'errors { __typename message path }';

/** Every mutation with its case; those for many inputs with one made of the single one's. */
export const MUTATIONS: readonly NamedCase[] = FEATURES.flatMap(({ mutations = {} }) =>
  Object.entries(mutations).flatMap(([mutation, { bulk, ...each }]): NamedCase[] => [
    { mutation, ...each, selection: `{ ${ERRORS} }`, place: [] },
    ...(bulk ? [bulkCase(bulk, each)] : []),
  ]),
);

function bulkCase(mutation: string, single: MutationCase): NamedCase {
  return {
    ...single,
    mutation,
    selection: `{ ${ERRORS} results { ${ERRORS} } }`,
    place: ['results', 0],
    input: async (stage, name) => ({ items: [await single.input(stage, name)] }),
    foreign: (single.foreign ?? []).map(({ type, input }) => ({ type, input: (id, own) => ({ items: [input(id, own)] }) })),
    mistakes: [
      { code: 'REQUIRED', path: ['items'], input: () => ({ items: [] }) },
      {
        code: 'TOO_MANY',
        path: ['items'],
        input: async (stage) => ({ items: Array(101).fill(await single.input(stage, `one-of-${mutation.toLowerCase()}`)) }),
      },
    ],
  };
}

/** The kind of id of every type that is a node. */
export const KINDS = Object.assign({}, ...FEATURES.map(({ kinds }) => kinds)) as Readonly<
  Record<string, NonNullable<FeatureCases['kinds']>[string]>
>;
