/** A relying party as the OpenID plans bring one: an application with a secret, which sends no proof key, and reads its answers from the query or a form. */
import { randomBytes } from 'node:crypto';
import type { JSONWebKeySet } from 'jose';
import { expect } from 'vitest';
import type { TestApp } from '../../helpers/app.ts';
import { type PageView, postForm, type UserAgent, userAgent } from '../../helpers/user-agent.ts';
import { headingOf, PASSWORD, type Person, signUp } from '../../signin/person.ts';
import { expectDescription, expectIdToken, expectStandardClaims } from './checks.ts';

export type ResponseMode = 'default' | 'form_post';
type Fields = Readonly<Record<string, string>>;

/** What the browser brought back, and what it had been sent off with. */
export interface Answer {
  readonly fields: Fields;
  readonly sent: Fields;
}

export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  readonly idToken: string;
  readonly claims: Awaited<ReturnType<typeof expectIdToken>>;
}

export function relyingParty(gatehouse: TestApp, mode: ResponseMode = 'default') {
  const application = () => {
    const { clientId, clientSecret } = gatehouse.application('reg');
    return { clientId, clientSecret: clientSecret! };
  };
  const now = () => gatehouse.app.infrastructure.clock.now();
  const metadata = async (): Promise<Record<string, string>> =>
    (await fetch(`${gatehouse.quickstart.issuer}/.well-known/openid-configuration`)).json() as Promise<Record<string, string>>;
  const basic = ({ clientId, clientSecret }: { clientId: string; clientSecret: string }) => ({
    authorization: `Basic ${Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`).toString('base64')}`,
  });

  const party = {
    application,
    now,
    metadata,
    issuer: () => gatehouse.quickstart.issuer,

    /** A request with these parameters besides; an empty one takes a usual one away. */
    request(parameters: Fields = {}): { url: string; sent: Fields } {
      const all = {
        client_id: application().clientId,
        redirect_uri: 'http://localhost:8080/callback',
        response_type: 'code',
        scope: 'openid',
        state: `${randomBytes(64).toString('hex').slice(0, 124)}-._~`,
        nonce: `${randomBytes(8).toString('hex')}-._~`,
        ...(mode === 'form_post' && { response_mode: mode }),
        ...parameters,
      };
      const sent = Object.fromEntries(Object.entries(all).filter(([, text]) => text !== ''));
      return { url: `${gatehouse.quickstart.issuer}/oauth2/auth?${new URLSearchParams(sent)}`, sent };
    },

    /** The answer that a page leads to; fails where there is none. */
    answerOf(page: PageView, sent: Fields): Answer {
      const { redirect_uri = '' } = sent;
      if (mode === 'default') {
        expect(page.url, headingOf(page)).toMatch(new RegExp(`^${redirect_uri}\\?`));
        return { fields: Object.fromEntries(new URL(page.url).searchParams), sent };
      }
      const [, action, form] = /<form method="post" action="([^"]+)" id="answer">(.*?)<\/form>/s.exec(page.html) ?? [];
      expect([action, page.status], headingOf(page)).toEqual([redirect_uri, 200]);
      expect(page.headers.get('content-security-policy')).toContain(`form-action ${new URL(redirect_uri).origin}`);
      const inputs = [...form!.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)];
      return { fields: Object.fromEntries(inputs.map(([, name, text]) => [name!, text!.replaceAll('&amp;', '&')])), sent };
    },

    /** Goes through an authorization in which nobody is asked anything. */
    async authorize(agent: UserAgent, parameters: Fields = {}): Promise<Answer> {
      const { url, sent } = party.request(parameters);
      return party.answerOf(await agent.open(url), sent);
    },

    /** Somebody who is signed in, and has told of themselves all that we keep. */
    async person(): Promise<Person> {
      const person = await signUp(gatehouse, { kind: 'reg' });
      const { prisma } = gatehouse.app.infrastructure.database;
      const { environmentId, userId } = await prisma.identity.findFirstOrThrow({ where: { normalized: person.email } });
      await prisma.user.updateMany({ where: { id: userId }, data: { picture: 'https://pictures.test/jane.png' } });
      for (const [type, text] of [
        ['phone', `+1555${String(Date.now()).slice(-7)}`],
        ['username', `jane-${randomBytes(4).toString('hex')}`],
      ] as const) {
        const id = `identity_${randomBytes(16).toString('hex')}`;
        await prisma.identity.create({
          data: { environmentId, id, userId, type, value: text, normalized: text, isPrimary: true, isVerified: type === 'phone' },
        });
      }
      return person;
    },

    /** Proves again who the person is, on the page that asks for it. */
    async prove({ agent, email }: Person, page: PageView): Promise<PageView> {
      expect(headingOf(page)).toBe('Sign in');
      return agent.submit(await agent.submit(page, 'identify', { p_email: email }), 'password', { p_password: PASSWORD });
    },

    /** Posts to the token endpoint as the application. */
    async post(form: Fields, by: 'basic' | 'post' = 'basic', client = application()) {
      const { token_endpoint } = await metadata();
      const { clientId: client_id, clientSecret: client_secret } = client;
      return by === 'basic'
        ? postForm(token_endpoint!, form, basic(client))
        : postForm(token_endpoint!, { ...form, client_id, client_secret });
    },

    /** Exchanges the code of a good answer, and checks all that comes. */
    async exchange({ fields, sent }: Answer, options: { by?: 'basic' | 'post'; form?: Fields } = {}): Promise<Tokens> {
      expect(fields).toMatchObject({ code: expect.any(String), state: sent['state'], iss: gatehouse.quickstart.issuer });
      expect(fields).not.toHaveProperty('error');
      const form = { grant_type: 'authorization_code', code: fields['code']!, redirect_uri: sent['redirect_uri']!, ...options.form };
      return party.tokensOf(await party.post(form, options.by), sent['nonce']);
    },

    async tokensOf({ status, headers, body = {} }: Awaited<ReturnType<typeof postForm>>, nonce: string | undefined): Promise<Tokens> {
      expect([status, body['error']]).toEqual([200, undefined]);
      expect(headers.get('content-type')).toMatch(/^application\/json\b/);
      expect(headers.get('cache-control')).toBe('no-store');
      expect(String(body['token_type']).toLowerCase()).toBe('bearer');
      expect(body['expires_in']).toEqual(expect.any(Number));
      expect(body['expires_in']).toBeGreaterThan(0);
      expect(body['expires_in']).toBeLessThanOrEqual(365 * 24 * 3600);
      const { access_token: accessToken, id_token: idToken, refresh_token: refreshToken } = body as Record<string, string>;
      const { jwks_uri } = await metadata();
      const keys = (await (await fetch(jwks_uri!)).json()) as JSONWebKeySet;
      const { issuer } = gatehouse.quickstart;
      const wanted = { issuer, clientId: application().clientId, keys, nonce, accessToken: accessToken!, now: now() };
      const claims = await expectIdToken(idToken!, wanted);
      await party.userInfo({ accessToken: accessToken!, claims });
      return { accessToken: accessToken!, idToken: idToken!, refreshToken, claims };
    },

    /** What UserInfo tells by a token, checked. */
    async userInfo(tokens: Pick<Tokens, 'accessToken' | 'claims'>, init: RequestInit = {}): Promise<Record<string, unknown>> {
      const { userinfo_endpoint } = await metadata();
      const headers = { authorization: `bearer ${tokens.accessToken}`, accept: 'application/json' };
      const answer = await fetch(userinfo_endpoint!, { headers, ...init });
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, expect.stringMatching(/^application\/json\b/)]);
      const told = (await answer.json()) as Record<string, unknown>;
      expect(told['sub']).toBe(tokens.claims.sub);
      expectStandardClaims(told, now());
      return told;
    },

    /** A code or token that is not good, told as RFC 6749 §5.2 has it. */
    expectInvalidGrant({ status, headers, body = {} }: Awaited<ReturnType<typeof postForm>>): void {
      expect([status, body['error']]).toEqual([400, 'invalid_grant']);
      expect(headers.get('content-type')).toMatch(/^application\/json\b/);
      expectDescription(body['error_description']);
    },

    /** A browser that nobody is signed in with. */
    stranger: () => userAgent(gatehouse.baseUrl),
  };
  return party;
}
