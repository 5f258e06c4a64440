import { generateKeyPairSync } from 'node:crypto';
import { rotateApplicationSecret } from '../../../src/features/applications/secrets/service.ts';
import { createApplication } from '../../../src/features/applications/service.ts';
import { createOrganization } from '../../../src/features/organizations/service.ts';
import { type FeatureCases, type Foreign, LONG, type Mistake, type MutationCase, type Stage, textMistakes } from './cases.ts';

const application = ({ world }: Stage) => ({ environmentId: world.ids.Environment, name: 'New', type: 'REG' });
const machine = ({ world }: Stage) => ({ applicationId: world.ids.Application });

const foreign: Foreign = { type: 'Application', input: (applicationId) => ({ applicationId }) };

async function newApplication({ ctx, world }: Stage, name: string): Promise<string> {
  return (await createApplication(ctx, { environmentId: world.ids.Environment, name, type: 'reg' })).application.id;
}

const publicKey = { ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }), kid: 'one' };

const tooMany = Array.from({ length: 101 }, (_, at) => `https://a.test/${at}`);

/** The cases of the three mutations of a list of URLs. */
function urlCases(noun: 'CallbackUrls' | 'LogoutUrls', resource: 'applications_redirect_uris' | 'application_logout_uris') {
  const action = noun === 'CallbackUrls' ? 'application.callback_urls_changed' : 'application.logout_urls_changed';
  const urls = (given: readonly string[]) => (stage: Stage) => ({ ...machine(stage), urls: given });
  const mistakes: Mistake[] = [
    { code: 'INVALID_URL', path: ['urls', '1'], input: urls(['https://*.acme.test/cb', 'https://*.vercel.app/cb']) },
    { code: 'TOO_MANY_URLS', path: ['urls'], input: urls(tooMany) },
  ];
  const of = (verb: 'create' | 'update' | 'delete', more: Partial<MutationCase> = {}): MutationCase => ({
    permission: `${verb}:${resource}`,
    action,
    input: (stage, name) => urls([`https://${name}.test/cb`])(stage),
    foreign: [{ type: 'Application', input: (applicationId) => ({ applicationId, urls: ['https://mine.test'] }) }],
    ...more,
  });
  return { [`add${noun}`]: of('create', { mistakes }), [`replace${noun}`]: of('update', { mistakes }), [`remove${noun}`]: of('delete') };
}

export const applications: FeatureCases = {
  kinds: { Application: 'application' },
  // The environment's machine is its application: world.ts makes it.
  fillEnvironment: async ({ ctx, environmentId, name }) => ({
    publicApplication: (await createApplication(ctx, { environmentId, name: `${name}-public`, type: 'spa' })).application.id,
  }),
  addRow: async ({ ctx, environmentId }) => void (await createApplication(ctx, { environmentId, name: 'App', type: 'spa' })),
  lists: {
    applications: `environment(id: $environmentId) { applications(first: $first) { totalCount nodes { name callbackUrls hasPreviousSecret accessTokenClaims } } }`,
  },
  shortLists: ['callbackUrls', 'logoutUrls', 'accessTokenClaims', 'idTokenClaims', 'machineTokenClaims'].map(
    (name) => `Application.${name}`,
  ),
  secretive: [
    ...['CreateApplicationPayload.clientSecret', 'Mutation.rotateApplicationSecret', 'RotateApplicationSecretPayload.clientSecret'],
    ...['Application.hasPreviousSecret', 'Application.secretRotatedAt', 'Mutation.revokePreviousSecret'],
    ...[
      'Application.refreshTokenGracePeriod',
      'Application.accessTokenClaims',
      'Application.idTokenClaims',
      'Application.machineTokenClaims',
      'Mutation.updateApplicationTokens',
    ],
  ],
  mutations: {
    createApplication: {
      permission: 'create:applications',
      action: 'application.created',
      input: ({ world }, name) => ({ environmentId: world.ids.Environment, name, type: 'REG' }),
      foreign: [
        { type: 'Environment', input: (environmentId) => ({ environmentId, name: 'Mine', type: 'M2M' }) },
        {
          type: 'Organization',
          input: (organizationId, own) => ({ environmentId: own.ids.Environment, name: 'Mine', type: 'M2M', organizationId }),
        },
      ],
      mistakes: [
        ...textMistakes('name', application),
        {
          code: 'INVALID_URL',
          path: ['callbackUrls', '1'],
          input: (stage) => ({ ...application(stage), callbackUrls: ['https://a.test', 'http://a.test'] }),
        },
        {
          code: 'INVALID_URL',
          path: ['logoutUrls', '0'],
          input: (stage) => ({ ...application(stage), logoutUrls: ['javascript:alert(1)'] }),
        },
        { code: 'TOO_MANY_URLS', path: ['callbackUrls'], input: (stage) => ({ ...application(stage), callbackUrls: tooMany }) },
        {
          code: 'NOT_A_MACHINE',
          path: ['organizationId'],
          input: (stage) => ({ ...application(stage), organizationId: stage.world.ids.Organization }),
        },
        {
          code: 'PLAN_LIMIT',
          path: ['organizationId'],
          input: async ({ ctx, small }) => {
            const environmentId = small.ids.Environment;
            const { id } = await createOrganization(ctx, { environmentId, name: 'For a machine' });
            return { environmentId, name: 'Machine', type: 'M2M', organizationId: id };
          },
        },
      ],
    },
    updateApplication: {
      permission: 'update:applications',
      action: 'application.updated',
      input: async (stage, name) => ({ applicationId: await newApplication(stage, name), loginUri: 'https://acme.test/login' }),
      foreign: [{ type: 'Application', input: (applicationId) => ({ applicationId, name: 'Mine' }) }],
      mistakes: [
        ...textMistakes('name', machine),
        { code: 'INVALID_URL', path: ['loginUri'], input: (stage) => ({ ...machine(stage), loginUri: 'https://*.acme.test' }) },
        { code: 'INVALID_URL', path: ['homepageUri'], input: (stage) => ({ ...machine(stage), homepageUri: 'http://acme.test' }) },
        { code: 'TOO_LONG', path: ['homepageUri'], input: (stage) => ({ ...machine(stage), homepageUri: `https://${LONG.repeat(11)}` }) },
        {
          code: 'INVALID_TIMEOUT',
          path: ['sessionInactivityTimeout'],
          input: (stage) => ({ ...machine(stage), sessionInactivityTimeout: 59 }),
        },
        { code: 'CONFLICT', path: ['expectedVersion'], input: (stage) => ({ ...machine(stage), expectedVersion: 99_999 }) },
      ],
    },
    deleteApplication: {
      permission: 'delete:applications',
      action: 'application.deleted',
      input: async (stage, name) => ({ applicationId: await newApplication(stage, name) }),
      foreign: [foreign],
    },
    ...urlCases('CallbackUrls', 'applications_redirect_uris'),
    ...urlCases('LogoutUrls', 'application_logout_uris'),
    updateApplicationTokens: {
      permission: 'update:application_tokens',
      action: 'application.tokens_updated',
      input: async (stage, name) => ({
        applicationId: await newApplication(stage, name),
        accessTokenClaims: ['api_scopes'],
        isHasuraMappingEnabled: true,
      }),
      foreign: [{ type: 'Application', input: (applicationId) => ({ applicationId, idTokenLifetime: 600 }) }],
      mistakes: [
        { code: 'INVALID_LIFETIME', path: ['idTokenLifetime'], input: (stage) => ({ ...machine(stage), idTokenLifetime: 59 }) },
        {
          code: 'REFRESH_TOO_SHORT',
          path: ['refreshTokenLifetime'],
          input: (stage) => ({ ...machine(stage), accessTokenLifetime: 600, refreshTokenLifetime: 600 }),
        },
        {
          code: 'REFRESH_TOO_SHORT',
          path: ['accessTokenLifetime'],
          input: (stage) => ({ ...machine(stage), accessTokenLifetime: 1_296_000 }),
        },
        ...[-1, 301].map((refreshTokenGracePeriod) => ({
          code: 'INVALID_GRACE_PERIOD',
          path: ['refreshTokenGracePeriod'],
          input: (stage: Stage) => ({ ...machine(stage), refreshTokenGracePeriod }),
        })),
        {
          code: 'UNKNOWN_CLAIM',
          path: ['machineTokenClaims', '1'],
          input: (stage) => ({ ...machine(stage), machineTokenClaims: ['permissions', 'sub'] }),
        },
        { code: 'NO_SUCH_TOKEN', path: ['idTokenClaims'], input: (stage) => ({ ...machine(stage), idTokenClaims: ['organizations'] }) },
        {
          code: 'TOO_MANY',
          path: ['machineTokenClaims'],
          input: (stage) => ({ ...machine(stage), machineTokenClaims: Array.from({ length: 51 }, (_, at) => `property:${at}`) }),
        },
        { code: 'CONFLICT', path: ['expectedVersion'], input: (stage) => ({ ...machine(stage), expectedVersion: 99_999 }) },
      ],
    },
    updateApplicationKeys: {
      permission: 'update:application_secrets',
      action: 'application.keys_updated',
      input: async (stage, name) => ({ applicationId: await newApplication(stage, name), jwks: { keys: [publicKey] } }),
      foreign: [{ type: 'Application', input: (applicationId) => ({ applicationId, jwks: { keys: [publicKey] } }) }],
      mistakes: [
        {
          code: 'NO_SECRET',
          path: ['applicationId'],
          input: ({ world }) => ({ applicationId: world.ids['publicApplication'], jwks: { keys: [publicKey] } }),
        },
        ...[7, {}, { keys: [] }, { keys: Array.from({ length: 21 }, () => publicKey) }].map((jwks) => ({
          code: 'INVALID_JWKS',
          path: ['jwks'],
          input: (stage: Stage) => ({ ...machine(stage), jwks }),
        })),
        ...[
          null,
          {},
          { ...publicKey, alg: 'HS256' },
          { ...publicKey, use: 'enc' },
          { ...publicKey, x: 'AA' },
          { kty: 'EC', crv: 'P-521' },
        ].map((key) => ({
          code: 'INVALID_JWKS',
          path: ['jwks', 'keys', '1'],
          input: (stage: Stage) => ({ ...machine(stage), jwks: { keys: [publicKey, key] } }),
        })),
        ...[
          { ...publicKey, d: 'AA' },
          { kty: 'oct', k: 'AA' },
        ].map((key) => ({
          code: 'PRIVATE_KEY',
          path: ['jwks', 'keys', '0'],
          input: (stage: Stage) => ({ ...machine(stage), jwks: { keys: [key] } }),
        })),
        ...['nowhere', 'http://acme.test/keys', 'https://10.0.0.1/keys', 'https://me@acme.test/', 'file:///etc/passwd'].map((jwksUri) => ({
          code: 'INVALID_URL',
          path: ['jwksUri'],
          input: (stage: Stage) => ({ ...machine(stage), jwksUri }),
        })),
        {
          code: 'TWO_SOURCES',
          path: ['jwks'],
          input: (stage) => ({ ...machine(stage), jwks: { keys: [publicKey] }, jwksUri: 'https://acme.test/keys' }),
        },
        { code: 'CONFLICT', path: ['expectedVersion'], input: (stage) => ({ ...machine(stage), expectedVersion: 99_999 }) },
      ],
    },
    rotateApplicationSecret: {
      permission: 'update:application_secrets',
      action: 'application.secret_rotated',
      input: async (stage, name) => ({ applicationId: await newApplication(stage, name), keepPrevious: true }),
      foreign: [foreign],
      mistakes: [
        { code: 'NO_SECRET', path: ['applicationId'], input: ({ world }) => ({ applicationId: world.ids['publicApplication'] }) },
        {
          code: 'PLAN_LIMIT',
          path: ['keepPrevious'],
          input: ({ small }) => ({ applicationId: small.ids.Application, keepPrevious: true }),
        },
        {
          code: 'PREVIOUS_SECRET_KEPT',
          path: ['keepPrevious'],
          input: async (stage) => {
            const applicationId = await newApplication(stage, 'Rotated');
            await rotateApplicationSecret(stage.ctx, { applicationId, keepPrevious: true });
            return { applicationId, keepPrevious: true };
          },
        },
      ],
    },
    revokePreviousSecret: {
      permission: 'update:application_secrets',
      action: 'application.previous_secret_revoked',
      input: async (stage, name) => {
        const applicationId = await newApplication(stage, name);
        await rotateApplicationSecret(stage.ctx, { applicationId, keepPrevious: true });
        return { applicationId };
      },
      foreign: [foreign],
      mistakes: [{ code: 'NO_PREVIOUS_SECRET', path: ['applicationId'], input: machine }],
    },
  },
};
