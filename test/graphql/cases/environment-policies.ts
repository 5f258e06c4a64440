import { newId } from '../../../src/kernel/ids.ts';
import type { FeatureCases, Mistake, MistakeStage, Stage } from './cases.ts';

const own = ({ world }: Stage) => ({ environmentId: world.ids.Environment });
const CONFLICT = (more: object): Mistake => ({
  code: 'CONFLICT',
  path: ['expectedVersion'],
  input: (stage) => ({ ...own(stage), ...more, expectedVersion: 99 }),
});

/** Makes an application that invitations may, or may not, lead to. */
async function newApplication({ ctx, world }: Stage, type: string, loginUri: string | null): Promise<string> {
  const id = newId('application');
  const urls = { callbackUrls: [], logoutUrls: [] };
  await ctx.db.application.create({ data: { environmentId: world.ids.Environment, id, name: 'Login', type, loginUri, ...urls } });
  return id;
}

const outOfRange = Object.entries({ codeLifetime: [59, 86_401, -1], maxFailures: [0, 101], lockSeconds: [0, 3601] });

export const environmentPolicies: FeatureCases = {
  secretive: ['EnvironmentBotCheck.hasTurnstileSecret'],
  shortLists: ['EnvironmentMfaPolicy.factors', 'EnvironmentPolicies.allowedDomains'],
  mutations: {
    updateEnvironmentPolicies: {
      permission: 'update:policies',
      action: 'environment.policies_updated',
      input: async (stage, name) => ({
        ...own(stage),
        allowedDomains: ['people.test', `${name}.test`],
        allowAccessRequests: true,
        allowSubscriptions: true,
        allowDynamicRegistration: true,
        refuseDisposableMail: true,
        allowMetadataDocuments: true,
        requireDpopNonce: true,
        defaultCountry: 'AU',
        allowInvitations: true,
        invitationApplicationId: await newApplication(stage, 'spa', 'https://login.test'),
      }),
      foreign: [
        { type: 'Environment', input: (environmentId) => ({ environmentId, allowSelfSignUp: false }) },
        { type: 'Application', input: (id, { ids }) => ({ environmentId: ids.Environment, invitationApplicationId: id }) },
      ],
      mistakes: [
        ...['people', 'me@people.test', 'https://people.test', '*.people.test', 'people..test', 'people.test.', 'people.123', ''].map(
          (domain) => ({
            code: 'INVALID_DOMAIN',
            path: ['allowedDomains', '1'],
            input: (stage: Stage) => ({ ...own(stage), allowedDomains: ['people.test', domain] }),
          }),
        ),
        {
          code: 'TOO_MANY_DOMAINS',
          path: ['allowedDomains'],
          input: (stage) => ({ ...own(stage), allowedDomains: Array.from({ length: 101 }, (_, at) => `d${at}.test`) }),
        },
        ...outOfRange.flatMap(([field, values]) =>
          values.map((value) => ({ code: 'OUT_OF_RANGE', path: [field], input: (stage: Stage) => ({ ...own(stage), [field]: value }) })),
        ),
        ...['au', 'AUS', 'XX', ''].map((defaultCountry) => ({
          code: 'INVALID_COUNTRY',
          path: ['defaultCountry'],
          input: (stage: Stage) => ({ ...own(stage), defaultCountry }),
        })),
        ...(
          [
            ['m2m', 'https://login.test'],
            ['device', 'https://login.test'],
            ['spa', null],
            ['reg', null],
          ] as const
        ).map(([type, loginUri]) => ({
          code: 'INVALID_APPLICATION',
          path: ['invitationApplicationId'],
          input: async (stage: MistakeStage) => ({
            ...own(stage),
            invitationApplicationId: await newApplication(stage, type, loginUri),
          }),
        })),
        {
          code: 'NO_INVITATION_APPLICATION',
          path: ['invitationApplicationId'],
          input: (stage) => ({ ...own(stage), allowInvitations: true, invitationApplicationId: null }),
        },
        CONFLICT({ allowSelfSignUp: false }),
      ],
    },
    updateBotCheck: {
      permission: 'update:policies',
      action: 'environment.bot_check_updated',
      input: (stage) => ({
        ...own(stage),
        kind: 'PROOF_OF_WORK',
        turnstileSiteKey: '0x4AAAAAAA-site',
        turnstileSecret: '0x4AAAAAAA-secret',
      }),
      foreign: [{ type: 'Environment', input: (environmentId) => ({ environmentId, kind: 'OFF' }) }],
      mistakes: [
        ...['turnstileSiteKey', 'turnstileSecret'].map((field) => ({
          code: 'INVALID_TURNSTILE_KEY',
          path: [field],
          input: (stage: Stage) => ({ ...own(stage), kind: 'OFF', [field]: 'not a key' }),
        })),
        {
          code: 'MISSING_TURNSTILE_KEY',
          path: ['turnstileSecret'],
          input: (stage) => ({ ...own(stage), kind: 'TURNSTILE', turnstileSiteKey: '0x4AAAAAAA-site' }),
        },
        CONFLICT({ kind: 'OFF' }),
      ],
    },
    updateMfaPolicy: {
      permission: 'update:mfa',
      action: 'environment.mfa_policy_updated',
      input: (stage) => ({ ...own(stage), policy: 'OPTIONAL', factors: ['EMAIL', 'AUTHENTICATOR_APP'] }),
      foreign: [{ type: 'Environment', input: (environmentId) => ({ environmentId, policy: 'OFF' }) }],
      mistakes: [
        { code: 'NO_FACTORS', path: ['factors'], input: (stage) => ({ ...own(stage), policy: 'REQUIRED' }) },
        { code: 'NO_FACTORS', path: ['factors'], input: (stage) => ({ ...own(stage), policy: 'OPTIONAL', factors: [] }) },
        CONFLICT({ policy: 'OFF' }),
      ],
    },
    updatePasskeyPolicy: {
      permission: 'update:passkey',
      action: 'environment.passkey_policy_updated',
      input: (stage) => ({ ...own(stage), policy: 'OPTIONAL', isMultiFactor: true }),
      foreign: [{ type: 'Environment', input: (environmentId) => ({ environmentId, policy: 'OFF' }) }],
      mistakes: [
        { code: 'PLAN_LIMIT', path: ['policy'], input: ({ small }) => ({ environmentId: small.ids.Environment, policy: 'MANDATORY' }) },
        CONFLICT({ policy: 'OFF' }),
      ],
    },
  },
};
