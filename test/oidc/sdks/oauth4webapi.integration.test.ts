/** oauth4webapi as the application's library: strict about every answer, with PAR, PKCE, DPoP and keys in place of secrets. */
import * as oauth from 'oauth4webapi';
import { expect, test } from 'vitest';
import { startApp } from '../../helpers/app.ts';
import { userAgent } from '../../helpers/user-agent.ts';
import { choosePassword, newAddress, typeCode } from '../../signin/person.ts';

const gatehouse = startApp();
const REDIRECT = 'http://localhost:8080/callback';
const insecure = { [oauth.allowInsecureRequests]: true };

async function server(): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(gatehouse.quickstart.issuer);
  return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
}

function application(kind: 'reg' | 'spa' | 'm2m') {
  const { clientId, clientSecret } = gatehouse.application(kind);
  const client: oauth.Client = { client_id: clientId };
  return { client, authentication: clientSecret ? oauth.ClientSecretPost(clientSecret) : oauth.None() };
}

/** Signs a new person up at `url`; returns where the browser ends. */
async function signUp(url: URL): Promise<URL> {
  const agent = userAgent(gatehouse.baseUrl);
  const email = newAddress('strict');
  const page = await agent.submit(await agent.open(url.href), 'identify', { p_email: email, p_first_name: 'Jane', p_last_name: 'Roe' });
  return new URL((await choosePassword(agent, await typeCode(gatehouse, agent, page, email))).url);
}

test.each(['spa', 'reg'] as const)(
  'pushes a request, proves the code and a key, reads the profile, refreshes and revokes (%s)',
  async (kind) => {
    const as = await server();
    const { client, authentication } = application(kind);
    const verifier = oauth.generateRandomCodeVerifier();
    const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
    const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'));
    const pushed = await oauth.processPushedAuthorizationResponse(
      as,
      client,
      await oauth.pushedAuthorizationRequest(
        as,
        client,
        authentication,
        {
          redirect_uri: REDIRECT,
          response_type: 'code',
          scope: 'openid profile email offline',
          prompt: 'create',
          code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
          code_challenge_method: 'S256',
          ...{ state, nonce },
        },
        { DPoP, ...insecure },
      ),
    );
    const url = new URL(as.authorization_endpoint!);
    url.search = new URLSearchParams({ client_id: client.client_id, request_uri: pushed.request_uri }).toString();
    const parameters = oauth.validateAuthResponse(as, client, await signUp(url), state);
    const tokens = await oauth.processAuthorizationCodeResponse(
      as,
      client,
      await oauth.authorizationCodeGrantRequest(as, client, authentication, parameters, REDIRECT, verifier, { DPoP, ...insecure }),
      { expectedNonce: nonce, requireIdToken: true },
    );
    expect(tokens.token_type).toBe('dpop');
    const { sub } = oauth.getValidatedIdTokenClaims(tokens)!;
    const profile = await oauth.processUserInfoResponse(
      as,
      client,
      sub,
      await oauth.userInfoRequest(as, client, tokens.access_token, { DPoP, ...insecure }),
    );
    expect(profile).toMatchObject({ sub, given_name: 'Jane' });
    const refreshed = await oauth.processRefreshTokenResponse(
      as,
      client,
      await oauth.refreshTokenGrantRequest(as, client, authentication, tokens.refresh_token!, { DPoP, ...insecure }),
    );
    expect(refreshed.refresh_token).not.toBe(tokens.refresh_token);
    await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, authentication, refreshed.refresh_token!, insecure));
    const late = await oauth.refreshTokenGrantRequest(as, client, authentication, refreshed.refresh_token!, { DPoP, ...insecure });
    await expect(oauth.processRefreshTokenResponse(as, client, late)).rejects.toMatchObject({ error: 'invalid_grant' });
  },
);

test('a machine gets a token, and learns what it is good for', async () => {
  const as = await server();
  const { client, authentication } = application('m2m');
  const tokens = await oauth.processClientCredentialsResponse(
    as,
    client,
    await oauth.clientCredentialsGrantRequest(as, client, authentication, { audience: 'https://api.acme.test' }, insecure),
  );
  const described = await oauth.processIntrospectionResponse(
    as,
    client,
    await oauth.introspectionRequest(as, client, authentication, tokens.access_token, insecure),
  );
  expect(described).toMatchObject({ active: true, aud: ['https://api.acme.test'], client_id: client.client_id });
});
