/** The links in mails: a request cannot make them lead elsewhere by what it says of its host. */
import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { teamToken, userAgent } from '../helpers/user-agent.ts';
import { newAddress, requestOf } from '../signin/person.ts';
import { seededEnvironment } from './sending.ts';

const EVIL = 'evil.test';
/** What a request may say of its host. */
const LIES: Record<string, string>[] = [
  { host: EVIL },
  { host: `${EVIL}:80` },
  { 'x-forwarded-host': EVIL },
  { 'x-forwarded-host': EVIL, 'x-forwarded-proto': 'https', 'x-forwarded-for': '192.0.2.1' },
  { forwarded: `host=${EVIL};proto=https` },
  {
    'x-original-host': EVIL,
    'x-host': EVIL,
    'x-forwarded-server': EVIL,
    'x-original-url': `http://${EVIL}/`,
    origin: `http://${EVIL}`,
    referer: `http://${EVIL}/`,
  },
];

const CALLERS = [
  ['nobody’s word', {}],
  ['anybody’s word for a proxy’s', { TRUST_PROXY: 'true' }],
] as const;

describe.each(CALLERS)('a server that takes %s', (_name, environment) => {
  const gatehouse = startApp(environment);

  /** Sends a request with headers that `fetch` would not. */
  function post(url: string, headers: Record<string, string>, body: string): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const sent = request(url, { method: 'POST', headers: { 'content-length': Buffer.byteLength(body), ...headers } }, (response) => {
        let text = '';
        response.on('data', (part) => (text += part));
        response.on('end', () => resolve({ status: response.statusCode!, body: text }));
      });
      sent.on('error', reject).end(body);
    });
  }

  test.each(LIES)('an invitation asked for with %o leads to our own address, or is not sent at all', async (lie) => {
    const { businessId } = await seededEnvironment(gatehouse);
    gatehouse.advance(60);
    const token = await teamToken(gatehouse, gatehouse.quickstart.owner.email);
    const email = newAddress('invited');
    const query = 'mutation ($input: InviteTeamMemberInput!) { inviteTeamMember(input: $input) { errors { code } } }';
    const body = JSON.stringify({ query, variables: { input: { businessId, email, roles: ['ADMIN'] } } });
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...lie };
    const answer = await post(gatehouse.quickstart.graphqlUrl, headers, body);
    if (answer.status === 404) {
      await new Promise((done) => setTimeout(done, 500));
      expect(await gatehouse.mailCount(email)).toBe(0);
      return;
    }
    expect(JSON.parse(answer.body)).toMatchObject({ data: { inviteTeamMember: { errors: [] } } });
    const mail = await gatehouse.mailTo(email);
    const links = [...`${mail.text} ${mail.html}`.matchAll(/https?:\/\/[^\s"'<]+/g)].map(([link]) => link);
    expect(links.length).toBeGreaterThan(0);
    for (const link of links) expect(link.startsWith(`${gatehouse.baseUrl}/e/account/`)).toBe(true);
    expect(JSON.stringify(mail)).not.toContain(EVIL);
  });

  test.each(LIES)('a code asked for with %o names nobody else’s address', async (lie) => {
    const agent = userAgent(gatehouse.baseUrl);
    const email = newAddress('coded');
    const page = await agent.open(requestOf(gatehouse, 'spa', { prompt: 'create' }).url);
    const action = /<form[^>]* action="([^"]+\/identify)"/.exec(page.html)![1]!;
    const csrf = /name="csrf" value="([^"]+)"/.exec(page.html)![1]!;
    const cookie = [...agent.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { 'content-type': 'application/x-www-form-urlencoded', cookie, ...lie };
    const answer = await post(new URL(action, gatehouse.baseUrl).href, headers, new URLSearchParams({ csrf, p_email: email }).toString());
    if (answer.status >= 400) {
      await new Promise((done) => setTimeout(done, 500));
      expect(await gatehouse.mailCount(email)).toBe(0);
      return;
    }
    expect(JSON.stringify(await gatehouse.mailTo(email))).not.toContain(EVIL);
  });
});
