/** Terms are accepted before anybody gets in, in the version that the person saw, once. */
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { teamToken, userAgent } from '../helpers/user-agent.ts';
import {
  headingOf,
  isSignedIn,
  newAddress,
  problemOf,
  productionEnvironment,
  requestOf,
  signIn,
  signInByCode,
  signUp,
  typeCode,
} from './person.ts';

const gatehouse = startApp();
let token: string;
let environmentId: string;

const TERMS = 'https://example.test/terms';
const PRIVACY = 'https://example.test/privacy?a=1&b="2';
const ASKED = 'Before you go on';

beforeAll(async () => {
  environmentId = (await productionEnvironment(gatehouse)).id;
  token = await teamToken(gatehouse, gatehouse.quickstart.owner.email);
  await signInByCode(gatehouse, 'reg');
});
beforeEach(() => change({ termsUri: null, privacyUri: null, isAcceptanceRequired: false }));

async function run(mutation: string, input: object): Promise<void> {
  const type = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input`;
  const document = `mutation ($input: ${type}!) { ${mutation}(input: $input) { errors { message } } }`;
  const { data } = await ask<Record<string, { errors: object[] }>, object>(gatehouse, token, document, { input });
  expect(data?.[mutation]?.errors).toEqual([]);
}
const change = (terms: object) => run('updateEnvironmentTerms', { environmentId, ...terms });

interface Shown {
  readonly termsAcceptances: {
    readonly version: number;
    readonly isExplicit: boolean;
    readonly termsUri: string | null;
    acceptedAt: string;
  }[];
  readonly properties: { readonly property: { readonly key: string }; readonly value: string }[];
}
/** What the graph tells of the person. */
async function shown(email: string): Promise<Shown> {
  const { prisma } = gatehouse.app.infrastructure.database;
  const { userId } = await prisma.identity.findFirstOrThrow({ where: { environmentId, normalized: email } });
  const { data } = await ask<{ node: Shown }, object>(
    gatehouse,
    token,
    `query ($id: ID!) { node(id: $id) { ... on User {
      termsAcceptances { version isExplicit termsUri acceptedAt } properties { property { key } value } } } }`,
    { id: userId },
  );
  return data!.node;
}
const version = async () =>
  (await gatehouse.app.infrastructure.database.prisma.environment.findUniqueOrThrow({ where: { id: environmentId } })).termsVersion;
const openRegister = (kind: 'spa' | 'reg' = 'reg', agent = userAgent(gatehouse.baseUrl)) =>
  agent.open(requestOf(gatehouse, kind, { prompt: 'create' }).url);

test('where going on means to accept, the page says so, and it is noted', async () => {
  await change({ termsUri: TERMS, privacyUri: PRIVACY });
  const agent = userAgent(gatehouse.baseUrl);
  const email = newAddress();
  const page = await openRegister('reg', agent);
  expect(page.html).toContain('By continuing you accept <a href="https://example.test/terms" target="_blank" rel="noopener noreferrer">');
  expect(page.html).toContain('href="https://example.test/privacy?a=1&amp;b=&quot;2"');
  const done = await typeCode(gatehouse, agent, await agent.submit(page, 'identify', { p_email: email }), email);
  expect(isSignedIn(done)).toBe(true);
  const { termsAcceptances } = await shown(email);
  expect(termsAcceptances).toEqual([{ version: await version(), isExplicit: false, termsUri: TERMS, acceptedAt: expect.any(String) }]);
});

test('where people have to say so, nobody signs up without, and who did is not asked again', async () => {
  await change({ termsUri: TERMS, isAcceptanceRequired: true });
  const agent = userAgent(gatehouse.baseUrl);
  const email = newAddress();
  const page = await openRegister('reg', agent);
  expect(page.html).not.toMatch(/p_has_clickwrap_accepted"[^>]* checked/);
  const refused = await agent.submit(page, 'identify', { p_email: email });
  expect([refused.status, problemOf(refused)]).toEqual([422, 'Accept this to go on.']);
  expect(refused.html).toContain(`value="${email}"`);
  expect(refused.html).toMatch(/p_has_clickwrap_accepted"[^>]* aria-invalid="true" aria-describedby="p_has_clickwrap_accepted_problem"/);
  const accepted = await agent.submit(refused, 'identify', { p_email: email, p_has_clickwrap_accepted: 'on' });
  expect(isSignedIn(await typeCode(gatehouse, agent, accepted, email))).toBe(true);
  expect((await shown(email)).termsAcceptances).toEqual([
    { version: await version(), isExplicit: true, termsUri: TERMS, acceptedAt: expect.any(String) },
  ]);
  expect(isSignedIn(await agent.open(requestOf(gatehouse, 'reg').url))).toBe(true);
});

test('a new version is asked of everybody at the next sign-in, in the version that they saw', async () => {
  const { email, agent } = await signUp(gatehouse);
  await change({ termsUri: TERMS, isAcceptanceRequired: true });
  const page = await agent.open(requestOf(gatehouse, 'spa').url);
  expect(headingOf(page)).toBe(ASKED);
  expect(isSignedIn(await agent.submit(page, 'accept'))).toBe(false);
  await change({ isRevised: true });
  const outdated = await agent.submit(page, 'accept', { p_has_clickwrap_accepted: 'on' });
  expect([outdated.status, headingOf(outdated)]).toEqual([422, ASKED]);
  const forged = await agent.submit(outdated, 'accept', { p_has_clickwrap_accepted: 'on', terms_version: String((await version()) + 1) });
  expect(forged.status).toBe(422);
  expect((await shown(email)).termsAcceptances).toEqual([]);
  const both = await Promise.all([1, 2].map(() => agent.submit(outdated, 'accept', { p_has_clickwrap_accepted: 'on' })));
  expect(both.filter(isSignedIn)).toHaveLength(1);
  expect(await shown(email)).toMatchObject({ termsAcceptances: [{ version: await version(), isExplicit: true }] });
  expect(isSignedIn((await signIn(gatehouse, email)).page)).toBe(true);
  await change({ isRevised: true });
  const again = await signIn(gatehouse, email);
  expect(headingOf(again.page)).toBe(ASKED);
});

test('who does not accept goes back without a code, and nobody is asked unseen', async () => {
  const { agent } = await signUp(gatehouse);
  await change({ privacyUri: PRIVACY, isAcceptanceRequired: true });
  const silent = await agent.open(requestOf(gatehouse, 'spa', { prompt: 'none' }).url);
  expect(new URL(silent.url).searchParams.get('error')).toBe('consent_required');
  const page = await agent.open(requestOf(gatehouse, 'spa').url);
  expect(page.html).not.toContain('terms of service');
  const declined = new URL((await agent.submit(page, 'decline')).url);
  expect([declined.origin, declined.searchParams.get('error'), declined.searchParams.get('code')]).toEqual([
    'http://localhost:8080',
    'access_denied',
    null,
  ]);
});

test('another browser cannot accept for anybody', async () => {
  const { agent, email } = await signUp(gatehouse);
  await change({ termsUri: TERMS, isAcceptanceRequired: true });
  const page = await agent.open(requestOf(gatehouse, 'spa').url);
  const stranger = userAgent(gatehouse.baseUrl);
  await openRegister('spa', stranger);
  expect((await stranger.submit(page, 'accept', { p_has_clickwrap_accepted: 'on' })).status).toBe(403);
  expect((await shown(email)).termsAcceptances).toEqual([]);
});

test('whether somebody wants marketing is asked where the application asks, and read in the graph', async () => {
  const applicationId = `app_${gatehouse.application('reg').clientId}`;
  expect((await openRegister()).html).not.toContain('p_marketing_consent');
  await run('updateApplication', { applicationId, asksMarketingConsent: true });
  const optIn = async (email: string) =>
    (await shown(email)).properties.find(({ property }) => property.key === 'kp_usr_is_marketing_opt_in')?.value;
  const sayIn = async (email: string, fields: Record<string, string>) => {
    const agent = userAgent(gatehouse.baseUrl);
    const next = await agent.submit(await openRegister('reg', agent), 'identify', { p_email: email, ...fields });
    expect(isSignedIn(await typeCode(gatehouse, agent, next, email))).toBe(true);
  };
  const [keen, quiet] = [newAddress(), newAddress()];
  await sayIn(keen, { p_marketing_consent: 'on' });
  await sayIn(quiet, {});
  expect([await optIn(keen), await optIn(quiet)]).toEqual(['true', 'false']);
});
