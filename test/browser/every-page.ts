/**
 * Every hosted page, and how a browser comes to see it: what holds for all pages is tested on this table. A step of a
 * sign-in that is not in it is shown with the state that any attempt has.
 */
import type { Page } from 'playwright-core';
import { createContext } from '../../src/features/context.ts';
import { newRecoveryCodes } from '../../src/features/mfa-factors/recovery-codes.ts';
import type { Step } from '../../src/features/sign-in-attempts/service.ts';
import { sealPending } from '../../src/signin/mfa.ts';
import { STEPS } from '../../src/signin/steps/index.ts';
import type { TestApp } from '../helpers/app.ts';
import { authorizationUrl } from '../helpers/user-agent.ts';
import { setApplication } from '../signin/methods.ts';

export interface Stage {
  readonly gatehouse: TestApp;
  readonly page: Page;
  /** Asks the pages to speak this language. */
  readonly lang: string;
}

export interface HostedPage {
  readonly name: string;
  /** Brings the browser to the page. */
  open(stage: Stage): Promise<void>;
}

const EMAIL = 'jane.roe@example.test';

/** What a step's page needs of its attempt, besides a person. */
const STATES: Partial<Record<Step, (attempt: AttemptKey, stage: Stage) => Promise<object>>> = {
  mfa_app: async (_attempt, { gatehouse }) => {
    await offerSecondFactors(gatehouse);
    return sealPending(createContext(gatehouse.app.infrastructure, { kind: 'anonymous' }), { key: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567' });
  },
  mfa_address: async (_attempt, { gatehouse }) => offerSecondFactors(gatehouse),
  mfa_choose: async (_attempt, { gatehouse }) => offerSecondFactors(gatehouse),
  mfa_new_code: async (_attempt, { gatehouse }) =>
    sealPending(createContext(gatehouse.app.infrastructure, { kind: 'anonymous' }), { address: EMAIL }),
  mfa_challenge: async ({ environmentId, userId }, { gatehouse }) => {
    await offerSecondFactors(gatehouse);
    const ctx = createContext(gatehouse.app.infrastructure, { kind: 'anonymous' });
    const { prisma } = gatehouse.app.infrastructure.database;
    const factor = { environmentId, userId, createdAt: new Date(0) };
    const app = { ...factor, id: `mfa_${'a'.repeat(32)}`, type: 'authenticator_app', secret: 'sealed' };
    const email = { ...factor, id: `mfa_${'b'.repeat(32)}`, type: 'email', secret: 'sealed', label: 'j•••@example.test' };
    const codes = { ...factor, id: `mfa_${'c'.repeat(32)}`, type: 'recovery_codes' };
    await prisma.mfaFactor.createMany({ data: [app, email, codes], skipDuplicates: true });
    return sealPending(ctx, { factorId: app.id });
  },
  mfa_recovery_codes: async (_attempt, { gatehouse }) =>
    sealPending(createContext(gatehouse.app.infrastructure, { kind: 'anonymous' }), { recoveryCodes: newRecoveryCodes() }),
  organization: async ({ environmentId, userId }, { gatehouse }) => {
    const { prisma } = gatehouse.app.infrastructure.database;
    for (const name of ['Acme', 'Umbrella & Daughters', 'The organization with the longest name of all of them']) {
      if (await prisma.organization.count({ where: { environmentId, name } })) continue;
      const id = `org_${[...name]
        .reduce((hex, char) => `${hex}${char.charCodeAt(0).toString(16)}`, '')
        .padEnd(32, '0')
        .slice(0, 32)}`;
      await prisma.organization.create({ data: { environmentId, id, name } });
      await prisma.membership.create({ data: { environmentId, id: id.replace('org_', 'mem_'), organizationId: id, userId } });
    }
    return {};
  },
};

/** Every second factor, for whoever wants one. */
async function offerSecondFactors({ app: { infrastructure } }: TestApp): Promise<object> {
  const data = { mfaPolicy: 'optional', mfaFactors: ['authenticator_app', 'email', 'sms'] };
  await infrastructure.database.prisma.environment.updateMany({ where: { isPrimary: true }, data });
  infrastructure.lookups.forget();
  return {};
}

interface AttemptKey {
  readonly environmentId: string;
  readonly id: string;
  readonly userId: string;
}

function authorize({ gatehouse, lang }: Stage, parameters: Record<string, string> = {}): string {
  const { clientId, callbackUrls } = gatehouse.application('spa');
  return authorizationUrl({
    issuer: gatehouse.quickstart.issuer,
    clientId,
    redirectUri: callbackUrls[0]!,
    parameters: { lang, ...parameters },
  }).url;
}

/** Starts a sign-in, and puts it at a step. */
async function openStep(stage: Stage, step: Step, parameters: Record<string, string> = {}): Promise<void> {
  const { gatehouse, page } = stage;
  const { prisma } = gatehouse.app.infrastructure.database;
  await page.goto(authorize(stage, parameters));
  if (step === 'identify') return;
  const id = /\/signin\/([^/?]+)/.exec(page.url())![1]!;
  const { environmentId } = await prisma.signInAttempt.findFirstOrThrow({ where: { id } });
  const userId = await aPerson(stage, environmentId);
  const state = (await STATES[step]?.({ environmentId, id, userId }, stage)) ?? {};
  const known = { email: EMAIL, userId, authTime: new Date(), amr: ['otp'] };
  await prisma.signInAttempt.updateMany({ where: { id }, data: { ...known, step, ...state } });
  await page.goto(`${gatehouse.quickstart.issuer}/signin/${id}`);
}

async function aPerson({ gatehouse }: Stage, environmentId: string): Promise<string> {
  const { prisma } = gatehouse.app.infrastructure.database;
  const known = await prisma.identity.findFirst({ where: { environmentId, normalized: EMAIL } });
  if (known) return known.userId;
  const id = `kp_${'e'.repeat(32)}`;
  await prisma.user.create({ data: { environmentId, id, firstName: 'Jane', lastName: 'Roe' } });
  await prisma.identity.create({
    data: { environmentId, id: `idt_${'e'.repeat(32)}`, userId: id, type: 'email', value: EMAIL, normalized: EMAIL, isPrimary: true },
  });
  return id;
}

/** Types something wrong, so that the page says so. */
async function mistake({ page }: Stage, fields: Record<string, string>): Promise<void> {
  for (const [name, value] of Object.entries(fields)) await page.fill(`[name=${name}]`, value);
  await page.locator('button.primary').first().click();
  await page.locator('[aria-invalid=true], .banner').first().waitFor();
}

const OTHER_PAGES: readonly HostedPage[] = [
  { name: 'register', open: (stage) => openStep(stage, 'identify', { prompt: 'create' }) },
  { name: 'identify-phone', open: (stage) => openMethods(stage, { emailSignIn: 'off', phoneSignIn: 'code' }) },
  { name: 'identify-choice', open: (stage) => openMethods(stage, { phoneSignIn: 'code', usernameSignIn: 'password' }) },
  {
    name: 'register-username',
    open: (stage) => openMethods(stage, { emailSignIn: 'off', usernameSignIn: 'password' }, { prompt: 'create' }),
  },
  {
    name: 'identify-mistake',
    async open(stage) {
      await openStep(stage, 'identify');
      await mistake(stage, { p_email: 'jane.roe' });
    },
  },
  {
    name: 'code-mistake',
    async open(stage) {
      await openStep(stage, 'code');
      await mistake(stage, { p_confirmation_code: '12345' });
    },
  },
  {
    name: 'new-password-mistake',
    async open(stage) {
      await openStep(stage, 'new_password');
      await mistake(stage, { p_first_password: 'one of two', p_second_password: 'another one' });
    },
  },
  { name: 'device-code', open: ({ gatehouse, page, lang }) => goTo(page, `${gatehouse.quickstart.issuer}/device?lang=${lang}`) },
  {
    name: 'device-connected',
    open: ({ gatehouse, page, lang }) => goTo(page, `${gatehouse.quickstart.issuer}/device/connected?lang=${lang}`),
  },
  { name: 'signed-out', open: ({ gatehouse, page, lang }) => goTo(page, `${gatehouse.quickstart.issuer}/logout?lang=${lang}`) },
  { name: 'not-found', open: ({ gatehouse, page, lang }) => goTo(page, `${gatehouse.quickstart.issuer}/nothing?lang=${lang}`) },
  {
    name: 'error',
    open: ({ gatehouse, page, lang }) => goTo(page, `${gatehouse.quickstart.issuer}/oauth2/auth?client_id=unknown&lang=${lang}`),
  },
  {
    name: 'error-with-a-way-back',
    async open(stage) {
      const { gatehouse, page } = stage;
      const { prisma } = gatehouse.app.infrastructure.database;
      const data = { loginUri: null, homepageUri: 'https://shop.example.test' };
      await prisma.application.updateMany({ where: { type: 'spa' }, data });
      gatehouse.app.infrastructure.lookups.forget();
      await openStep(stage, 'code');
      await prisma.signInAttempt.updateMany({ data: { expiresAt: new Date(0) } });
      await page.reload();
    },
  },
];

/** The first page of an application with other ways to sign in, which it has for this one page. */
async function openMethods(
  stage: Stage,
  methods: Parameters<typeof setApplication>[1],
  parameters: Record<string, string> = {},
): Promise<void> {
  await setApplication(stage.gatehouse, methods);
  await openStep(stage, 'identify', parameters);
  await setApplication(stage.gatehouse, { emailSignIn: 'password', phoneSignIn: 'off', usernameSignIn: 'off' });
}

async function goTo(page: Page, url: string): Promise<void> {
  await page.goto(url);
}

/** Steps that need more than an attempt, and have cases of their own. */
const ELSEWHERE: readonly Step[] = ['device', 'invitation'];

export const EVERY_PAGE: readonly HostedPage[] = [
  ...(Object.keys(STEPS) as Step[])
    .filter((step) => step !== 'completed' && !ELSEWHERE.includes(step))
    .map((step) => ({ name: step.replaceAll('_', '-'), open: (stage: Stage) => openStep(stage, step) })),
  ...OTHER_PAGES,
];
