/** Every page of ours, and what has to be in the database for it to be shown: what the suite `pages` visits. */
import { createContext, type Infrastructure } from '../src/features/context.ts';
import { startDeviceAuthorization } from '../src/features/device-authorizations/service.ts';
import { newAuthenticatorKey } from '../src/features/mfa-factors/authenticator.ts';
import { newRecoveryCodes } from '../src/features/mfa-factors/recovery-codes.ts';
import type { Quickstart } from '../src/features/seed/service.ts';
import { startSession } from '../src/features/sessions/service.ts';
import type { Step } from '../src/features/sign-in-attempts/service.ts';
import { createUserRow } from '../src/features/users/service.ts';
import { sealPending } from '../src/signin/mfa.ts';
import { STEPS } from '../src/signin/steps/index.ts';

/** A sign-in under way in a browser. */
export interface Visit {
  readonly path: string;
  readonly cookie: string;
}

export interface State {
  readonly name: string;
  /** Makes it the page at `path`, for a browser with `cookie`. */
  arrive(): Promise<Visit>;
}

const EMAIL = 'jane.roe@example.test';

/** All pages that answer 200, in the order of a sign-in, then the others. */
export async function everyPage(infrastructure: Infrastructure, { issuer, applications }: Quickstart, visit: Visit): Promise<State[]> {
  const { prisma } = infrastructure.database;
  const ctx = createContext(infrastructure, { kind: 'system', name: 'bench' });
  const id = visit.path.slice(visit.path.lastIndexOf('/') + 1);
  const attempt = await prisma.signInAttempt.findFirstOrThrow({ where: { id } });
  const { environmentId } = attempt;
  const environment = await prisma.environment.findFirstOrThrow({ where: { id: environmentId } });
  const scope = { environmentId, businessId: environment.businessId };
  const everything = {
    ...{ passkeyPolicy: 'optional', mfaPolicy: 'optional', mfaFactors: ['authenticator_app', 'email'], hasRecoveryCodes: true },
    ...{ termsUri: 'https://example.test/terms', privacyUri: 'https://example.test/privacy' },
    ...{ allowAccessRequests: true, allowSubscriptions: true },
  };
  await prisma.environment.update({ where: { id: environmentId }, data: everything });
  const { id: userId } = await createUserRow(ctx, scope, { email: EMAIL, isEmailVerified: true, firstName: 'Jane', lastName: 'Roe' });
  const organizationIds = await Promise.all(
    ['Harbour', 'Umbrella', 'Initech'].map(async (name, index) => {
      const organizationId = `org_${String(index).padStart(32, '0')}`;
      await prisma.organization.create({ data: { environmentId, id: organizationId, name } });
      await prisma.membership.create({ data: { environmentId, id: `mem_${String(index).padStart(32, '0')}`, organizationId, userId } });
      return organizationId;
    }),
  );
  const factorId = `mfa_${'a'.repeat(32)}`;
  await prisma.mfaFactor.create({ data: { environmentId, id: factorId, userId, type: 'authenticator_app', secret: 'sealed' } });

  const device = applications.find(({ type }) => type === 'device')!;
  const request = attempt.request as object;
  const states: Partial<Record<Step, () => Promise<object>>> = {
    mfa_app: async () => sealPending(ctx, { key: newAuthenticatorKey() }),
    mfa_new_code: async () => sealPending(ctx, { address: EMAIL }),
    mfa_challenge: async () => sealPending(ctx, { factorId }),
    mfa_recovery_codes: async () => sealPending(ctx, { recoveryCodes: newRecoveryCodes() }),
    invitation: async () => ({ request: { ...request, organizationId: organizationIds[0], invitationId: 'shown only' } }),
    async device() {
      const asked = { environmentId, applicationId: `app_${device.clientId}`, scopes: ['openid', 'profile'], apiScopes: [], audiences: [] };
      return { request: { ...request, userCode: (await startDeviceAuthorization(infrastructure, asked)).userCode } };
    },
  };
  const proved = { amr: ['otp'], mfaProofs: ['environment/authenticator_app'] };
  const { token } = await startSession(ctx, environmentId, userId, proved);
  const account = { client_id: applications.find(({ type }) => type === 'reg')!.clientId, org_code: organizationIds[0]! };
  const at = (name: string, path: string, cookie = visit.cookie): State => ({ name, arrive: async () => ({ path, cookie }) });
  const prefix = new URL(issuer).pathname.replace(/\/$/, '');
  return [
    ...(Object.keys(STEPS) as Step[]).map((step) => ({
      name: step,
      async arrive() {
        const known = step === 'identify' ? {} : { email: EMAIL, userId, authTime: ctx.clock.now(), amr: ['otp'] };
        const state = (await states[step]?.()) ?? { request };
        await prisma.signInAttempt.update({ where: { environmentId_id: { environmentId, id } }, data: { ...known, step, ...state } });
        return visit;
      },
    })),
    at('device code', `${prefix}/device`),
    at('request access', `${prefix}/request-access`),
    at('subscribe', `${prefix}/subscribe`),
    at('signed out', `${prefix}/logout`),
    at('account', `${prefix}/portal?${new URLSearchParams(account)}`, `${visit.cookie}; gatehouse_session_${environment.domain}=${token}`),
  ];
}
