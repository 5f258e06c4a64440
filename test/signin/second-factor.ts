/** People who set up and prove second factors on the pages, as anybody does. */
import { TOTP } from 'otpauth';
import { graphql } from '../generated/index.ts';
import { codeIn, type TestApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { type PageView, teamToken, type UserAgent, userAgent } from '../helpers/user-agent.ts';
import { organization, productionEnvironment, signIn, signUp, userIdOf } from './person.ts';

export type Factor = 'email' | 'sms' | 'authenticator_app';

const tokens = new WeakMap<TestApp, Promise<string>>();

/** The owner's token for the graph: one sign-in for a file of tests. */
export function ownerToken(gatehouse: TestApp): Promise<string> {
  const token = tokens.get(gatehouse) ?? teamToken(gatehouse, gatehouse.quickstart.owner.email);
  tokens.set(gatehouse, token);
  return token;
}

const CHANGE = graphql(`
  mutation ChangeMfaPolicy($input: UpdateMfaPolicyInput!) {
    updateMfaPolicy(input: $input) { errors { code } environment { id } }
  }
`);

/** Changes the seeded environment's policy, in the graph. */
export async function mfaPolicy(
  gatehouse: TestApp,
  policy: 'OFF' | 'OPTIONAL' | 'REQUIRED',
  factors: ('EMAIL' | 'AUTHENTICATOR_APP' | 'SMS')[] = ['AUTHENTICATOR_APP'],
  hasRecoveryCodes = false,
): Promise<void> {
  const { id: environmentId } = await productionEnvironment(gatehouse);
  const token = await ownerToken(gatehouse);
  const { data } = await ask(gatehouse, token, CHANGE, { input: { environmentId, policy, factors, hasRecoveryCodes } });
  if (!data?.updateMfaPolicy || data.updateMfaPolicy.errors.length > 0)
    throw new Error(`The policy did not change: ${JSON.stringify(data)}`);
}

/** The code that an app with this key shows, or shows some steps of 30 seconds from now. */
export function appCode(gatehouse: TestApp, key: string, steps = 0): string {
  return new TOTP({ secret: key }).generate({ timestamp: gatehouse.app.infrastructure.clock.now().getTime() + steps * 30_000 });
}

/** The next step begins, and lasts long enough for a test to use its code. */
export function nextStep(gatehouse: TestApp): void {
  const now = gatehouse.app.infrastructure.clock.now().getTime() / 1000;
  gatehouse.advance(30 - (now % 30) + 1);
}

/** The key that the page of an app shows to be typed. */
export function keyOn(page: PageView): string {
  const key = /<p class="secret"[^>]*>([A-Z2-7 ]+)<\/p>/.exec(page.html)?.[1]?.replaceAll(' ', '');
  if (!key) throw new Error(`No key is shown on ${page.url}:\n${page.html}`);
  return key;
}

export function recoveryCodesOn(page: PageView): string[] {
  return [...page.html.matchAll(/<li>([A-Z2-7]{5}-[A-Z2-7]{5})<\/li>/g)].map(([, code]) => code!);
}

/** What the challenge's button says that sends a code to the factor, by its place among those that codes are sent to. */
export function sendTo(page: PageView, place = 0): { p_factor: string } {
  const factors = [...page.html.matchAll(/<button class="(?:link|primary)" name="p_factor" value="([^"]+)"/g)].map(([, id]) => id!);
  return { p_factor: factors[place]! };
}

/** Sets an app up on the page that shows its key. */
export async function setUpApp(gatehouse: TestApp, agent: UserAgent, page: PageView) {
  const key = keyOn(page);
  return { key, page: await typeAppCode(gatehouse, agent, page, key, 'mfa_confirm') };
}

export function typeAppCode(gatehouse: TestApp, agent: UserAgent, page: PageView, key: string, form = 'mfa_code'): Promise<PageView> {
  return agent.submit(page, form, { p_confirmation_code: appCode(gatehouse, key) });
}

/** Types the code that was mailed as the mail after the first `after` ones. */
export async function typeMfaCode(
  gatehouse: TestApp,
  agent: UserAgent,
  page: PageView,
  email: string,
  after: number,
  form: 'mfa_code' | 'mfa_confirm' = 'mfa_code',
): Promise<PageView> {
  return agent.submit(page, form, { p_confirmation_code: codeIn(await gatehouse.mailTo(email, { after })) });
}

/** Somebody who has signed up before a second factor was asked for. */
export async function newPerson(gatehouse: TestApp) {
  const { email } = await signUp(gatehouse);
  return { email, userId: await userIdOf(gatehouse, email) };
}

/** Somebody with an authenticator app, at an environment that requires one from then on. The step after its code has begun. */
export async function personWithApp(gatehouse: TestApp, hasRecoveryCodes = false) {
  await mfaPolicy(gatehouse, 'OFF');
  const { email, userId } = await newPerson(gatehouse);
  await mfaPolicy(gatehouse, 'REQUIRED', ['AUTHENTICATOR_APP'], hasRecoveryCodes);
  const { agent, page: asked } = await signIn(gatehouse, email);
  const { key, page } = await setUpApp(gatehouse, agent, asked);
  nextStep(gatehouse);
  return { email, userId, agent, key, page };
}

export interface OrganizationPolicy {
  readonly mfaPolicy?: 'off' | 'optional' | 'required' | null;
  readonly mfaFactors?: Factor[];
  readonly hasRecoveryCodes?: boolean;
  readonly isAdvanced?: boolean;
}

/** Makes an organization with policies of its own. */
export async function strictOrganization(gatehouse: TestApp, name: string, members: readonly string[], policy: OrganizationPolicy) {
  const { prisma } = gatehouse.app.infrastructure.database;
  const id = await organization(gatehouse, name, { members });
  await prisma.organization.updateMany({ where: { id }, data: { isAdvanced: true, hasRecoveryCodes: false, ...policy } });
  return id;
}

/** Gives a member a role, which is exempt in the organization or not. */
export async function giveRole(gatehouse: TestApp, organizationId: string, userId: string, key: string, isExempt: boolean): Promise<void> {
  const { prisma } = gatehouse.app.infrastructure.database;
  const { id: environmentId, businessId } = await productionEnvironment(gatehouse);
  const id = `role_${key}`;
  await prisma.role.createMany({ data: [{ businessId, id, key, name: key }], skipDuplicates: true });
  const member = await prisma.membership.findFirstOrThrow({ where: { organizationId, userId } });
  await prisma.membershipRole.create({ data: { environmentId, membershipId: member.id, businessId, roleId: id } });
  if (isExempt)
    await prisma.organizationMfaExemptRole.createMany({
      data: [{ environmentId, organizationId, businessId, roleId: id }],
      skipDuplicates: true,
    });
}

export const newAgent = (gatehouse: TestApp) => userAgent(gatehouse.baseUrl);

/** Posts a form that the page does not show, with the page's CSRF token. */
export function forge(agent: UserAgent, page: PageView, form: string, fields: Record<string, string> = {}): Promise<PageView> {
  const html = page.html.replace(/(action="[^"]*\/signin\/[^/"]+\/)[^"]+"/, `$1${form}"`);
  return agent.submit({ ...page, html }, form, fields);
}
