/** Pushed authorization requests (RFC 9126): handed in by the application, fetched once by a browser that brings their name. */
import { beforeAll, describe, expect, test } from 'vitest';
import { deleteExpiredPushedRequests, PUSHED_REQUEST_SECONDS } from '../../src/features/pushed-requests/service.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { machineToken, type PageView } from '../helpers/user-agent.ts';
import { answerOf, exchange, headingOf, type Kind, type Person, requestOf, signUp } from '../signin/person.ts';

const gatehouse = startApp();
const prisma = () => gatehouse.app.infrastructure.database.prisma;
let person: Person;
beforeAll(async () => {
  person = await signUp(gatehouse);
});

interface Pushed {
  readonly status: number;
  readonly headers: Headers;
  readonly body: {
    readonly request_uri: string;
    readonly expires_in: number;
    readonly error?: string;
    readonly error_description?: string;
  };
}

async function push(form: Record<string, string> | URLSearchParams, headers: Record<string, string> = {}): Promise<Pushed> {
  const response = await fetch(`${gatehouse.quickstart.issuer}/oauth2/par`, { method: 'POST', headers, body: new URLSearchParams(form) });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

/** Pushes a request as its client; with the secret where there is one. */
async function pushOf(kind: Kind, parameters: Record<string, string> = {}) {
  const { clientId, clientSecret } = gatehouse.application(kind);
  const request = requestOf(gatehouse, kind, parameters);
  const pushed = await push({ ...request.query, ...(clientSecret && { client_secret: clientSecret }) });
  return { request, pushed, clientId };
}

function urlOf(clientId: string, request_uri: string, more: Record<string, string> = {}): string {
  return `${gatehouse.quickstart.issuer}/oauth2/auth?${new URLSearchParams({ client_id: clientId, request_uri, ...more })}`;
}

const expectGone = (page: PageView) =>
  expect([page.status, page.html]).toEqual([400, expect.stringContaining('request_uri is unknown, has expired, or was used already')]);

test.each(['spa', 'reg'] as const)('a request of type %s is taken by its name, and nothing that comes beside it counts', async (kind) => {
  const { request, pushed, clientId } = await pushOf(kind, { state: 'pushed', response_mode: 'fragment' });
  expect(pushed.status).toBe(201);
  expect(pushed.headers.get('cache-control')).toBe('no-store');
  expect(pushed.body).toEqual({
    request_uri: expect.stringMatching(/^urn:ietf:params:oauth:request_uri:[\w-]{43}$/),
    expires_in: PUSHED_REQUEST_SECONDS,
  });
  const beside = { redirect_uri: 'https://evil.test', state: 'beside', prompt: 'create', response_mode: 'query' };
  const page = await person.agent.open(urlOf(clientId, pushed.body.request_uri, beside));
  const answer = answerOf(page, request);
  expect(new URLSearchParams(answer.url.hash.slice(1)).get('state')).toBe('pushed');
  expect((await exchange(gatehouse, answer, kind)).status).toBe(200);
});

describe('a pushed request is fetched once', () => {
  test('and by one of many at the same time', async () => {
    const { pushed, clientId } = await pushOf('spa');
    const url = urlOf(clientId, pushed.body.request_uri);
    const pages = await Promise.all(Array.from({ length: 8 }, () => person.agent.open(url)));
    expect(pages.filter(({ url: end }) => end.includes('code='))).toHaveLength(1);
    expectGone(await person.agent.open(url));
  });

  test('by nobody when it has expired, and then it leaves the table', async () => {
    const { pushed, clientId } = await pushOf('spa');
    gatehouse.advance(PUSHED_REQUEST_SECONDS + 1);
    expectGone(await person.agent.open(urlOf(clientId, pushed.body.request_uri)));
    expect(await deleteExpiredPushedRequests(gatehouse.app.infrastructure)).toBeGreaterThan(0);
    expect(await prisma().pushedRequest.count()).toBe(0);
  });

  test('by its own client, at its own issuer', async () => {
    const { pushed, clientId } = await pushOf('spa');
    const uri = pushed.body.request_uri;
    expectGone(await person.agent.open(urlOf(gatehouse.application('reg').clientId, uri)));
    expectGone(await person.agent.open(urlOf('', uri)));
    const { account } = gatehouse.quickstart;
    expectGone(await person.agent.open(urlOf(clientId, uri).replace(gatehouse.quickstart.issuer, account.issuer)));
    expect((await person.agent.open(urlOf(clientId, uri))).url).toContain('code=');
  });
});

describe('who pushes', () => {
  test('has to be the client', async () => {
    const { query } = requestOf(gatehouse, 'reg');
    const { clientId, clientSecret } = gatehouse.application('reg');
    for (const client_secret of ['', 'x'.repeat(48), gatehouse.application('m2m').clientSecret!]) {
      const { status, body } = await push({ ...query, client_secret });
      expect([status, body.error]).toEqual([401, 'invalid_client']);
    }
    const basic = { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` };
    const { client_id: _, ...rest } = query;
    expect((await push(rest, basic)).status).toBe(201);
    expect((await push({ ...query, client_id: gatehouse.application('spa').clientId }, basic)).body.error).toBe('invalid_request');
  });

  test('is told at once what is wrong, as JSON', async () => {
    const wrong: [Record<string, string>, string, RegExp][] = [
      [{ redirect_uri: 'https://evil.test' }, 'invalid_request', /not one of the application/],
      [{ response_type: 'token' }, 'invalid_request', /response_type/],
      [{ code_challenge: '', code_challenge_method: '' }, 'invalid_request', /PKCE/],
      [{ request_uri: `urn:ietf:params:oauth:request_uri:${'x'.repeat(43)}` }, 'invalid_request', /request_uri/],
      [{ resource: 'https://unknown.test' }, 'invalid_target', /resource/],
      [{ request: 'eyJhbGciOiJub25lIn0.e30.' }, 'request_not_supported', /Request objects/],
      [{ request_uri: 'https://evil.test/request' }, 'invalid_request', /request_uri/],
    ];
    for (const [change, error, words] of wrong) {
      const { pushed } = await pushOf('spa', change);
      expect([pushed.status, pushed.body]).toEqual([400, { error, error_description: expect.stringMatching(words) }]);
    }
    const machine = gatehouse.application('m2m');
    const refused = await push({
      ...requestOf(gatehouse, 'spa').query,
      client_id: machine.clientId,
      client_secret: machine.clientSecret!,
    });
    expect(refused.body.error).toBe('invalid_request');
  });
});

test('what is kept of a request is sealed, its name is kept as a digest, and the secret not at all', async () => {
  const { pushed } = await pushOf('reg', { state: 'in the open' });
  const kept = JSON.stringify(await prisma().pushedRequest.findMany());
  expect(kept).not.toContain('in the open');
  expect(kept).not.toContain(pushed.body.request_uri.split(':').at(-1));
  const { vault } = gatehouse.app.infrastructure;
  const [row] = await prisma().pushedRequest.findMany({ orderBy: { expiresAt: 'desc' } });
  const opened = vault.open('pushed authorization request', row!.parameters);
  expect([opened.includes('in+the+open'), opened.includes('secret')]).toEqual([true, false]);
  expect(gatehouse.log()).not.toContain(pushed.body.request_uri);
});

test('an operator may require it of an application, whose other requests are refused from then on', async () => {
  const token = await machineToken(gatehouse);
  const applicationId = `app_${gatehouse.application('spa').clientId}`;
  const require = async (requirePushedAuthorizationRequests: boolean) => {
    const { data, errors } = await ask<{ updateApplication: { application: object } }, object>(
      gatehouse,
      token,
      'mutation ($input: UpdateApplicationInput!) { updateApplication(input: $input) { application { requirePushedAuthorizationRequests } errors { code } } }',
      { input: { applicationId, requirePushedAuthorizationRequests } },
    );
    expect([errors, data!.updateApplication]).toEqual([[], { application: { requirePushedAuthorizationRequests }, errors: [] }]);
  };
  await require(true);
  const refused = await person.agent.open(requestOf(gatehouse, 'spa').url);
  expect([headingOf(refused), refused.html]).toEqual([
    'This sign-in link does not work',
    expect.stringContaining('has to push its requests'),
  ]);
  const { pushed, clientId } = await pushOf('spa');
  expect((await person.agent.open(urlOf(clientId, pushed.body.request_uri))).url).toContain('code=');
  await require(false);
  expect((await person.authorize()).code).toBeTruthy();
});

test('discovery names the endpoint', async () => {
  const document = await (await fetch(`${gatehouse.quickstart.issuer}/.well-known/openid-configuration`)).json();
  expect(document).toMatchObject({
    pushed_authorization_request_endpoint: `${gatehouse.quickstart.issuer}/oauth2/par`,
    require_pushed_authorization_requests: false,
    response_modes_supported: ['query', 'fragment', 'form_post'],
  });
});
