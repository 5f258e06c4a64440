/**
 * People at an application of the seeded issuer: each has a browser and goes through the hosted pages as anybody does.
 */
import type { DevelopmentMail } from '../../src/mail/mailbox.ts';
import { codeIn, type TestApp } from '../helpers/app.ts';
import { authorizationUrl, type PageView, postToken, type UserAgent, userAgent } from '../helpers/user-agent.ts';

export const PASSWORD = 'a quiet harbour at dawn';

export type Kind = 'reg' | 'spa';

/** What came back to the application at the end of an authorization. */
export interface Answer {
  readonly url: URL;
  readonly code: string;
  readonly verifier: string;
  readonly sent: Readonly<Record<string, string>>;
}

export interface Person {
  readonly email: string;
  readonly agent: UserAgent;
  /** The answer to the authorization in which the person signed up. */
  readonly first: Answer;
  /** Goes through another authorization with the session that there is; fails when a page comes up. */
  authorize(kind?: Kind, parameters?: Record<string, string>): Promise<Answer>;
}

let people = 0;

/** An address that nobody has yet. */
export function newAddress(name = 'someone'): string {
  return `${name}.${process.pid}.${++people}@mail.test`;
}

/** An authorization request of a seeded application. Empty parameters take the usual ones away. */
export function requestOf(gatehouse: TestApp, kind: Kind, parameters: Record<string, string> = {}) {
  const { clientId, callbackUrls } = gatehouse.application(kind);
  return authorizationUrl({ issuer: gatehouse.quickstart.issuer, clientId, redirectUri: callbackUrls[0]!, parameters });
}

/** Reads the answer that `page` went to. */
export function answerOf(page: PageView, { verifier, query }: ReturnType<typeof requestOf>): Answer {
  const url = new URL(page.url);
  const code = url.searchParams.get('code') ?? new URLSearchParams(url.hash.slice(1)).get('code');
  if (!code) throw new Error(`There is no code: ${page.status} ${page.url}\n${page.html}`);
  return { url, code, verifier, sent: query };
}

/** Opens the pages, types an address, and leads to the page that comes next. */
export async function identify(
  gatehouse: TestApp,
  agent: UserAgent,
  email: string,
  parameters: Record<string, string> = {},
  kind: Kind = 'spa',
) {
  const request = requestOf(gatehouse, kind, parameters);
  const page = await agent.submit(await agent.open(request.url), 'identify', { p_email: email });
  return { request, page };
}

/** Types the code that is mailed to `email` as the mail after the first `after` ones. */
export async function typeCode(gatehouse: TestApp, agent: UserAgent, page: PageView, email: string, after = 0): Promise<PageView> {
  return agent.submit(page, 'code', { p_confirmation_code: codeIn(await gatehouse.mailTo(email, { after })) });
}

/** Types each code that is mailed to `email`, as it comes, until one is right: for browsers that asked at the same time. */
export async function typeAnyCode(gatehouse: TestApp, agent: UserAgent, page: PageView, email: string): Promise<PageView> {
  const tried = new Set<string>();
  for (let looks = 0; looks < 200; looks++) {
    const mails = (await (await fetch(`${gatehouse.baseUrl}/dev/mailbox.json`)).json()) as DevelopmentMail[];
    const codes = mails.filter(({ to, text }) => to === email && /\b\d{6}\b/.test(text)).map(codeIn);
    for (const code of codes.filter((one) => !tried.has(one))) {
      tried.add(code);
      const next = await agent.submit(page, 'code', { p_confirmation_code: code });
      if (next.status !== 422) return next;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`No code that was mailed to ${email} is right.`);
}

export function choosePassword(agent: UserAgent, page: PageView, password = PASSWORD): Promise<PageView> {
  return agent.submit(page, 'new_password', { p_first_password: password, p_second_password: password });
}

/** Signs somebody up by a mailed code and a password. */
export async function signUp(
  gatehouse: TestApp,
  options: { email?: string; kind?: Kind; parameters?: Record<string, string>; agent?: UserAgent } = {},
): Promise<Person> {
  const { email = newAddress(), kind = 'spa', parameters, agent = userAgent(gatehouse.baseUrl) } = options;
  const request = requestOf(gatehouse, kind, { prompt: 'create', ...parameters });
  const typed = { p_email: email, p_first_name: 'Jane', p_last_name: 'Roe' };
  const code = await agent.submit(await agent.open(request.url), 'identify', typed);
  const done = await choosePassword(agent, await typeCode(gatehouse, agent, code, email));
  return {
    email,
    agent,
    first: answerOf(done, request),
    async authorize(again = kind, changes = {}) {
      const next = requestOf(gatehouse, again, changes);
      return answerOf(await agent.open(next.url), next);
    },
  };
}

/** Signs somebody in by password, in a browser of its own unless one is given; the page is what came at the end. */
export async function signIn(
  gatehouse: TestApp,
  email: string,
  options: { password?: string; parameters?: Record<string, string>; agent?: UserAgent; kind?: Kind } = {},
) {
  const { password = PASSWORD, parameters, agent = userAgent(gatehouse.baseUrl), kind = 'spa' } = options;
  const { request, page: asked } = await identify(gatehouse, agent, email, parameters, kind);
  const page = await agent.submit(asked, 'password', { p_password: password });
  return { agent, request, page, asked };
}

/** Takes away, for a test, that an application's people have passwords: they sign in by codes. There is no door for it yet. */
export async function signInByCode(gatehouse: TestApp, kind: Kind): Promise<void> {
  const { prisma } = gatehouse.app.infrastructure.database;
  await prisma.application.updateMany({ where: { id: `app_${gatehouse.application(kind).clientId}` }, data: { emailSignIn: 'code' } });
  gatehouse.app.infrastructure.lookups.forget();
}

/** Did the browser leave the pages for the application, with a code? */
export function isSignedIn(page: PageView): boolean {
  return page.url.startsWith('http://localhost:8080/callback?code=');
}

/** The heading of a page. */
export function headingOf(page: PageView): string | undefined {
  return /<h1>([^<]*)<\/h1>/.exec(page.html)?.[1];
}

/** The message beside a field or above a form. */
export function problemOf(page: PageView): string | undefined {
  return /<p class="(?:problem|banner)"[^>]*>([^<]*)<\/p>/.exec(page.html)?.[1];
}

/** The form that exchanges a code; `changes` replace fields, and an empty one takes a field away. */
export function codeForm(gatehouse: TestApp, answer: Answer, kind: Kind = 'spa', changes: Record<string, string> = {}) {
  const { clientId, clientSecret = '' } = gatehouse.application(kind);
  return {
    grant_type: 'authorization_code',
    client_id: clientId,
    client_secret: clientSecret,
    redirect_uri: answer.sent['redirect_uri']!,
    code: answer.code,
    code_verifier: answer.verifier,
    ...changes,
  };
}

/** The form that trades a refresh token in. */
export function refreshForm(gatehouse: TestApp, refreshToken: string, kind: Kind = 'spa') {
  const { clientId, clientSecret = '' } = gatehouse.application(kind);
  return { grant_type: 'refresh_token', client_id: clientId, client_secret: clientSecret, refresh_token: refreshToken };
}

/** Exchanges a code at the seeded issuer. */
export function exchange(gatehouse: TestApp, answer: Answer, kind: Kind = 'spa', changes: Record<string, string> = {}) {
  return postToken(gatehouse.quickstart.issuer, codeForm(gatehouse, answer, kind, changes));
}

/** Trades a refresh token in at the seeded issuer. */
export function refresh(gatehouse: TestApp, refreshToken: string, kind: Kind = 'spa') {
  return postToken(gatehouse.quickstart.issuer, refreshForm(gatehouse, refreshToken, kind));
}

/** The seeded issuer's environment and business. */
export function productionEnvironment(gatehouse: TestApp) {
  return gatehouse.app.infrastructure.database.prisma.environment.findFirstOrThrow({ where: { isPrimary: true } });
}

/** The id of the user with an address at the seeded issuer. */
export async function userIdOf(gatehouse: TestApp, email: string): Promise<string> {
  const { prisma } = gatehouse.app.infrastructure.database;
  const { id } = await productionEnvironment(gatehouse);
  return (await prisma.identity.findFirstOrThrow({ where: { environmentId: id, normalized: email.toLowerCase() } })).userId;
}

/** Suspends a user, or an organization: there is no door for it yet. */
export async function suspend(
  gatehouse: TestApp,
  what: { userId: string } | { organizationId: string },
  isSuspended = true,
): Promise<void> {
  const { prisma } = gatehouse.app.infrastructure.database;
  if ('userId' in what) await prisma.user.updateMany({ where: { id: what.userId }, data: { isSuspended } });
  else await prisma.organization.updateMany({ where: { id: what.organizationId }, data: { isSuspended } });
  gatehouse.app.infrastructure.lookups.forget();
}

/** Makes an organization of the seeded issuer, with its members. */
export async function organization(
  gatehouse: TestApp,
  name: string,
  options: { members?: readonly string[]; isOpen?: boolean } = {},
): Promise<string> {
  const { prisma } = gatehouse.app.infrastructure.database;
  const { id: environmentId } = await productionEnvironment(gatehouse);
  const number = (await prisma.organization.count()) + 1;
  const id = `org_${number.toString(16).padStart(32, '0')}`;
  await prisma.organization.create({ data: { environmentId, id, name, isAutoMembershipEnabled: options.isOpen ?? false } });
  for (const [index, userId] of (options.members ?? []).entries())
    await prisma.membership.create({ data: { environmentId, id: `om_${id}_${index}`, organizationId: id, userId } });
  return id;
}
