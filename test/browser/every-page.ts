/**
 * Every hosted page, and how a browser comes to see it: what holds for all pages is tested on this table. A step of a
 * sign-in that is not in it is shown with the state that any attempt has.
 */
import { randomBytes } from 'node:crypto';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { createContext } from '../../src/features/context.ts';
import { startDeviceAuthorization } from '../../src/features/device-authorizations/service.ts';
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

export const PHONE = { width: 360, height: 740 };

/** That the page is no wider than a phone. */
export async function fits(page: Page): Promise<void> {
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(PHONE.width);
}

const EMAIL = 'jane.roe@example.test';
const LONG_NAME = 'The organization with the longest name of all of them';

/** Takes back what a page before had changed. */
export async function asAtFirst(gatehouse: TestApp): Promise<void> {
  const { prisma } = gatehouse.app.infrastructure.database;
  const data = { mfaPolicy: 'off', passkeyPolicy: 'off', termsUri: null, privacyUri: null, isAcceptanceRequired: false };
  await prisma.environment.updateMany({ where: { isPrimary: true }, data });
  const methods = { emailSignIn: 'password', phoneSignIn: 'off', usernameSignIn: 'off', asksMarketingConsent: false };
  await setApplication(gatehouse, methods);
}

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
  terms: async (_attempt, { gatehouse }) => haveTerms(gatehouse),
  invitation: async ({ environmentId, id, userId }, stage) => {
    const { prisma } = stage.gatehouse.app.infrastructure.database;
    await memberOf(stage.gatehouse, environmentId, userId, [LONG_NAME]);
    const { id: organizationId } = await prisma.organization.findFirstOrThrow({ where: { environmentId, name: LONG_NAME } });
    return changedRequest(stage, { environmentId, id }, { organizationId, invitationId: 'shown, and never taken up' });
  },
  device: async ({ environmentId, id }, stage) => {
    const { infrastructure } = stage.gatehouse.app;
    const { clientId } = stage.gatehouse.application('device');
    const asked = { environmentId, applicationId: `app_${clientId}`, scopes: ['openid', 'profile', 'email'], apiScopes: [], audiences: [] };
    const { userCode } = await startDeviceAuthorization(infrastructure, asked);
    return changedRequest(stage, { environmentId, id }, { userCode });
  },
  mfa_recovery_codes: async (_attempt, { gatehouse }) =>
    sealPending(createContext(gatehouse.app.infrastructure, { kind: 'anonymous' }), { recoveryCodes: newRecoveryCodes() }),
  organization: async ({ environmentId, userId }, { gatehouse }) =>
    memberOf(gatehouse, environmentId, userId, ['Harbour', 'Umbrella & Daughters', LONG_NAME]),
};

/** Every second factor, for whoever wants one. */
async function offerSecondFactors({ app: { infrastructure } }: TestApp): Promise<object> {
  const data = { mfaPolicy: 'optional', mfaFactors: ['authenticator_app', 'email', 'sms'] };
  await infrastructure.database.prisma.environment.updateMany({ where: { isPrimary: true }, data });
  infrastructure.lookups.forget();
  return {};
}

/** Terms that everybody has to say that they accept. */
async function haveTerms({ app: { infrastructure } }: TestApp): Promise<object> {
  const data = { termsUri: 'https://example.test/terms', privacyUri: 'https://example.test/privacy', isAcceptanceRequired: true };
  await infrastructure.database.prisma.environment.updateMany({ where: { isPrimary: true }, data });
  infrastructure.lookups.forget();
  return {};
}

async function memberOf({ app }: TestApp, environmentId: string, userId: string, names: readonly string[]): Promise<object> {
  const { prisma } = app.infrastructure.database;
  for (const name of names) {
    if (await prisma.organization.count({ where: { environmentId, name } })) continue;
    const hex = randomBytes(16).toString('hex');
    await prisma.organization.create({ data: { environmentId, id: `org_${hex}`, name } });
    await prisma.membership.create({ data: { environmentId, id: `mem_${hex}`, organizationId: `org_${hex}`, userId } });
  }
  return {};
}

/** What the attempt's request is once `change` is in it too. */
async function changedRequest({ gatehouse }: Stage, where: { environmentId: string; id: string }, change: object): Promise<object> {
  const { request } = await gatehouse.app.infrastructure.database.prisma.signInAttempt.findFirstOrThrow({ where });
  return { request: { ...(request as object), ...change } };
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

/** Signs the person in, for the first of their organizations. */
async function signIn(stage: Stage): Promise<void> {
  const { gatehouse, page } = stage;
  await openStep(stage, 'organization');
  const answered = ['mfa', 'organization_name', 'email', 'passkey', 'terms'];
  await gatehouse.app.infrastructure.database.prisma.signInAttempt.updateMany({ data: { answered } });
  const form = {
    csrf: await page.inputValue('[name=csrf]'),
    p_organization: (await page.locator('button').first().getAttribute('value')) ?? '',
  };
  // By hand: nobody answers at the application, where the browser would be sent.
  await page.request.post(`${page.url()}/organization`, { form, maxRedirects: 0 });
}

/** Types something wrong, so that the page says so. */
async function mistake({ page }: Stage, fields: Record<string, string>): Promise<void> {
  for (const [name, value] of Object.entries(fields)) await page.fill(`[name=${name}]`, value);
  await page.locator('button.primary').first().click();
  await page.locator('[aria-invalid=true], .banner').first().waitFor();
}

const OTHER_PAGES: readonly HostedPage[] = [
  { name: 'register', open: (stage) => openStep(stage, 'identify', { prompt: 'create' }) },
  {
    name: 'register-terms',
    async open(stage) {
      await haveTerms(stage.gatehouse);
      await openMethods(stage, { asksMarketingConsent: true }, { prompt: 'create' });
      await mistake(stage, { p_email: EMAIL });
    },
  },
  {
    name: 'identify-passkey',
    async open(stage) {
      const { infrastructure } = stage.gatehouse.app;
      await infrastructure.database.prisma.environment.updateMany({ where: { isPrimary: true }, data: { passkeyPolicy: 'optional' } });
      await openMethods(stage, {});
    },
  },
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
    name: 'mfa-challenge-unsent',
    async open(stage) {
      await openStep(stage, 'mfa_challenge');
      const { prisma } = stage.gatehouse.app.infrastructure.database;
      const { id: factorId } = await prisma.mfaFactor.findFirstOrThrow({ where: { type: 'email' } });
      const mfaPending = sealPending(createContext(stage.gatehouse.app.infrastructure, { kind: 'anonymous' }), { factorId });
      await prisma.signInAttempt.updateMany({ data: mfaPending });
      await stage.page.reload();
    },
  },
  {
    name: 'code-sent-again',
    async open(stage) {
      await openStep(stage, 'code');
      await goTo(stage.page, `${stage.page.url()}?sent`);
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
  {
    name: 'sign-out',
    async open(stage) {
      const { gatehouse, page } = stage;
      await signIn(stage);
      const back = encodeURIComponent(gatehouse.application('spa').logoutUrls[0]!);
      await goTo(page, `${gatehouse.quickstart.issuer}/logout?post_logout_redirect_uri=${back}&lang=${stage.lang}`);
    },
  },
  { name: 'request-access', open: (stage) => openLeads(stage, 'request-access') },
  {
    name: 'subscribe-mistake',
    async open(stage) {
      await openLeads(stage, 'subscribe');
      await mistake(stage, { p_email: 'jane.roe' });
    },
  },
  { name: 'subscribed', open: (stage) => openLeads(stage, 'subscribe/done') },
  {
    name: 'account',
    async open(stage) {
      const { gatehouse, page, lang } = stage;
      await signIn(stage);
      await signIn(stage);
      const { prisma } = gatehouse.app.infrastructure.database;
      const { id } = await prisma.organization.findFirstOrThrow({ where: { name: LONG_NAME } });
      const parameters = {
        client_id: gatehouse.application('spa').clientId,
        org_code: id,
        return_url: 'http://localhost:8080/settings',
        lang,
      };
      await goTo(page, `${gatehouse.quickstart.issuer}/portal?${new URLSearchParams(parameters)}`);
    },
  },
  { name: 'signed-out', open: ({ gatehouse, page, lang }) => goTo(page, `${gatehouse.quickstart.issuer}/logout?lang=${lang}`) },
  { name: 'nothing-here', open: ({ gatehouse, page, lang }) => goTo(page, `${gatehouse.quickstart.issuer}/nothing?lang=${lang}`) },
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

/** The first page of an application with other ways to sign in. */
async function openMethods(
  stage: Stage,
  methods: Parameters<typeof setApplication>[1],
  parameters: Record<string, string> = {},
): Promise<void> {
  await setApplication(stage.gatehouse, methods);
  await openStep(stage, 'identify', parameters);
}

/** A page for who has no account, which the environment has from then on. */
async function openLeads({ gatehouse, page, lang }: Stage, path: string): Promise<void> {
  const data = { allowAccessRequests: true, allowSubscriptions: true };
  await gatehouse.app.infrastructure.database.prisma.environment.updateMany({ where: { isPrimary: true }, data });
  gatehouse.app.infrastructure.lookups.forget();
  await goTo(page, `${gatehouse.quickstart.issuer}/${path}?lang=${lang}`);
}

async function goTo(page: Page, url: string): Promise<void> {
  await page.goto(url);
}

export const EVERY_PAGE: readonly HostedPage[] = [
  ...(Object.keys(STEPS) as Step[]).map((step) => ({ name: step.replaceAll('_', '-'), open: (stage: Stage) => openStep(stage, step) })),
  ...OTHER_PAGES,
];
