/** The management graph's own metadata (RFC 9728): a client that knows nothing but the graph's URL finds its way to a token. */
import { expect, test } from 'vitest';
import { codeIn, startApp } from '../helpers/app.ts';
import { authorizationUrl, postToken, userAgent } from '../helpers/user-agent.ts';

const gatehouse = startApp();

const graph = (headers: Record<string, string>, body: BodyInit = JSON.stringify({ query: '{ viewer { kind } }' })) =>
  fetch(gatehouse.quickstart.graphqlUrl, {
    method: 'POST',
    headers: { ...(typeof body === 'string' && { 'content-type': 'application/json' }), ...headers },
    body,
  });

test('the graph describes itself at the address that its URL leads to, for any page', async () => {
  const { graphqlUrl, account } = gatehouse.quickstart;
  for (const suffix of ['/graphql', '']) {
    const url = `${gatehouse.baseUrl}/.well-known/oauth-protected-resource${suffix}`;
    const answer = await fetch(url, { headers: { origin: 'https://anywhere.test' } });
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, '*']);
    expect(await answer.json()).toMatchObject({
      resource: graphqlUrl,
      authorization_servers: [account.issuer],
      bearer_methods_supported: ['header'],
      scopes_supported: expect.arrayContaining(['read:users']),
    });
  }
});

test('an environment’s own address has no such document', async () => {
  const { issuer } = gatehouse.quickstart.account;
  expect((await fetch(`${issuer}/.well-known/oauth-protected-resource`)).status).toBe(404);
});

test.each([
  ['a token that is none', { authorization: 'Bearer nonsense' }, undefined, /^Bearer error="invalid_token", resource_metadata="(.+)"$/],
  ['a token of another scheme', { authorization: 'DPoP nonsense' }, undefined, /^DPoP error="invalid_token", .*resource_metadata="(.+)"$/],
  ['a file without a token', { 'apollo-require-preflight': 'true' }, new FormData(), /^Bearer resource_metadata="(.+)"$/],
] as const)('the refusal of %s says where that is', async (_what, headers, body, form) => {
  const answer = await graph(headers, body);
  expect(answer.status).toBe(401);
  const [, url] = form.exec(answer.headers.get('www-authenticate')!) ?? [];
  expect(await (await fetch(url!)).json()).toMatchObject({ resource: gatehouse.quickstart.graphqlUrl });
});

test('the graph’s URL is a resource that tokens are made out to, for an application that is authorised for it', async () => {
  const { issuer, graphqlUrl, managementAudience } = gatehouse.quickstart;
  const { clientId, clientSecret } = gatehouse.application('m2m');
  const machine = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret! };
  const { body } = await postToken(issuer, { ...machine, resource: graphqlUrl });
  expect(JSON.parse(atob(body.access_token.split('.')[1]!))).toMatchObject({ aud: [managementAudience] });
  expect((await (await graph({ authorization: `Bearer ${body.access_token}` })).json()).data.viewer.kind).toBe('MACHINE');
  expect((await postToken(issuer, { ...machine, resource: `${graphqlUrl}x` })).body.error).toBe('invalid_target');

  const { clientId: other, callbackUrls } = gatehouse.application('spa');
  const refused = authorizationUrl({ issuer, clientId: other, redirectUri: callbackUrls[0]!, parameters: { resource: graphqlUrl } });
  expect((await userAgent(gatehouse.baseUrl).open(refused.url)).url).toContain('error=invalid_target');
});

test('a person’s token for it is had by the graph’s URL as well', async () => {
  const { account, owner, graphqlUrl } = gatehouse.quickstart;
  const [dashboard] = account.applications;
  const { clientId, callbackUrls } = dashboard!;
  const parameters = { resource: graphqlUrl };
  const request = authorizationUrl({ issuer: account.issuer, clientId, redirectUri: callbackUrls[0]!, parameters });
  const agent = userAgent(gatehouse.baseUrl);
  const page = await agent.submit(await agent.open(request.url), 'identify', { p_email: owner.email });
  const done = await agent.submit(page, 'code', { p_confirmation_code: codeIn(await gatehouse.mailTo(owner.email)) });
  const { body } = await postToken(account.issuer, {
    grant_type: 'authorization_code',
    client_id: clientId,
    code: new URL(done.url).searchParams.get('code')!,
    redirect_uri: callbackUrls[0]!,
    code_verifier: request.verifier,
    resource: graphqlUrl,
  });
  expect((await (await graph({ authorization: `Bearer ${body.access_token}` })).json()).data.viewer.kind).toBe('TEAM_MEMBER');
});
