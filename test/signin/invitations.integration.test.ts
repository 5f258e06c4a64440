/** Invitations to a team: from the graph by mail to the pages, and what nobody gets by them. */
import { expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { authorizationUrl, type PageView, postToken, teamToken, userAgent } from '../helpers/user-agent.ts';
import { headingOf, newAddress, problemOf, typeAnyCode, typeCode } from './person.ts';

const gatehouse = startApp();
const newAgent = () => userAgent(gatehouse.baseUrl);
const account = () => gatehouse.quickstart.account;

interface Team {
  viewer: {
    user: { email: string } | null;
    businesses: { nodes: { id: string; name: string; teamMembers: { nodes: { email: string; roles: string[] }[] } }[] };
  };
}

/** What a token's bearer sees of the businesses it is a team member of. */
async function teamsOf(token: string): Promise<{ id: string; name: string; team: [string, string[]][] }[]> {
  const { data } = await ask<Team, object>(
    gatehouse,
    token,
    'query { viewer { user { email } businesses { nodes { id name teamMembers { nodes { email roles } } } } } }',
  );
  return data!.viewer.businesses.nodes.map(({ id, name, teamMembers }) => ({
    id,
    name,
    team: teamMembers.nodes.map(({ email, roles }) => [email, roles]),
  }));
}

const INVITE = 'mutation ($input: InviteTeamMemberInput!) { inviteTeamMember(input: $input) { invitation { id state } errors { code } } }';

/** The Owner invites an address; the link is the one that is mailed. */
async function invite(email: string, roles = ['ADMIN'], names: { firstName?: string; lastName?: string } = {}): Promise<string> {
  const owner = await teamToken(gatehouse, gatehouse.quickstart.owner.email);
  const [business] = await teamsOf(owner);
  const after = await gatehouse.mailCount(email);
  const { data, errors } = await ask<{ inviteTeamMember: { errors: object[] } }, object>(gatehouse, owner, INVITE, {
    input: { businessId: business!.id, email, roles, ...names },
  });
  expect([errors, data?.inviteTeamMember.errors]).toEqual([[], []]);
  const mail = await gatehouse.mailTo(email, { after });
  return /https?:\S+\/team-invitation\/\S+/.exec(mail.text)![0];
}

/** Follows a link with the address that it is for, up to the page at the end. */
async function accept(link: string, email: string, agent = newAgent()): Promise<PageView> {
  const after = await gatehouse.mailCount(email);
  const page = await agent.submit(await agent.open(link), 'identify', { p_email: email });
  return typeCode(gatehouse, agent, page, email, after);
}

async function expectUnusable(link: string): Promise<void> {
  const agent = newAgent();
  const page = await agent.open(link);
  expect([page.status, headingOf(page)]).toEqual([404, 'This invitation cannot be used']);
  expect(agent.cookies.size).toBe(0);
}

/** A token for the graph of whoever signs in at account in this browser; undefined when nobody is signed in. */
async function tokenIn(agent: ReturnType<typeof newAgent>): Promise<string | undefined> {
  const { clientId, callbackUrls } = account().applications[0]!;
  const request = {
    issuer: account().issuer,
    clientId,
    redirectUri: callbackUrls[0]!,
    parameters: { audience: account().managementAudience, prompt: 'none' },
  };
  const { url, verifier } = authorizationUrl(request);
  const code = new URL((await agent.open(url)).url).searchParams.get('code');
  if (!code) return undefined;
  const form = { grant_type: 'authorization_code', code, redirect_uri: callbackUrls[0]!, client_id: clientId, code_verifier: verifier };
  return (await postToken(account().issuer, form)).body['access_token'];
}

test('an invited person follows the link, proves the address, and is on the team with the roles that were given', async () => {
  const email = newAddress('Invited');
  const link = await invite(email, ['ADMIN', 'READ_ONLY'], { firstName: 'Ina', lastName: 'Vited' });
  expect(link).toMatch(new RegExp(`^${account().issuer}/team-invitation/[\\w-]{43}$`));
  const agent = newAgent();
  const start = await agent.open(link);
  expect(headingOf(start)).toBe('Create your account');
  for (const known of [email, 'Ina', 'Vited']) expect(start.html).toContain(`value="${known}"`);
  const done = await accept(link, email, agent);
  expect([done.status, headingOf(done)]).toEqual([200, 'Welcome']);
  expect(done.url).toMatch(new RegExp(`^${account().issuer}/welcome`));
  const [business] = await teamsOf((await tokenIn(agent))!);
  expect(business).toMatchObject({ name: 'Acme' });
  expect(business!.team).toContainEqual([email, ['ADMIN', 'READ_ONLY']]);
  await expectUnusable(link);
});

test('a link works until somebody accepts it, and then for nobody', async () => {
  const email = newAddress();
  const link = await invite(email);
  for (let times = 0; times < 3; times++) expect((await newAgent().open(link)).status).toBe(200);
  await accept(link, email);
  await expectUnusable(link);
});

test('somebody with an account already joins by the link with that account', async () => {
  const email = newAddress();
  await accept(await invite(email), email);
  const { prisma } = gatehouse.app.infrastructure.database;
  await prisma.teamMember.deleteMany({ where: { user: { identities: { some: { normalized: email.toLowerCase() } } } } });
  expect(await teamsOf(await teamToken(gatehouse, email))).toEqual([]);
  expect(headingOf(await accept(await invite(email), email))).toBe('Welcome');
  expect(await teamsOf(await teamToken(gatehouse, email))).toMatchObject([{ name: 'Acme' }]);
  expect(await prisma.identity.count({ where: { normalized: email.toLowerCase() } })).toBe(1);
});

test('an invited person may as well sign in where the team does', async () => {
  const email = newAddress();
  const link = await invite(email);
  expect(await teamsOf(await teamToken(gatehouse, email))).toMatchObject([{ name: 'Acme' }]);
  await expectUnusable(link);
});

test('accepting in two browsers at once makes one member', async () => {
  const email = newAddress();
  const link = await invite(email);
  const browsers = await Promise.all(
    [newAgent(), newAgent()].map(async (agent) => ({
      agent,
      page: await agent.submit(await agent.open(link), 'identify', { p_email: email }),
    })),
  );
  await gatehouse.mailTo(email, { after: 2 }); // The invitation and a code for each.
  const ends = await Promise.all(browsers.map(({ agent, page }) => typeAnyCode(gatehouse, agent, page, email)));
  expect(ends.map(headingOf)).toEqual(['Welcome', 'Welcome']);
  const { prisma } = gatehouse.app.infrastructure.database;
  expect(await prisma.identity.count({ where: { normalized: email.toLowerCase() } })).toBe(1);
  expect(await prisma.teamMember.count({ where: { user: { identities: { some: { normalized: email.toLowerCase() } } } } })).toBe(1);
});

test('links that are unknown, changed, expired or revoked lead nowhere', async () => {
  const email = newAddress();
  const link = await invite(email);
  for (const wrong of ['x', 'x'.repeat(43), '%00', "'%20OR%201=1%20--"])
    await expectUnusable(`${account().issuer}/team-invitation/${wrong}`);
  for (const wrong of [
    `${link}x`,
    link.slice(0, -1),
    link.toLowerCase(),
    link.replace('/e/account', ''),
    link.replace('/e/account', '/e/acme-dev'),
  ])
    await expectUnusable(wrong);
  gatehouse.advance(7 * 24 * 3600 - 100);
  expect((await newAgent().open(link)).status).toBe(200);
  gatehouse.advance(101);
  await expectUnusable(link);

  const revoked = newAddress();
  const second = await invite(revoked);
  await gatehouse.app.infrastructure.database.prisma.teamInvitation.updateMany({
    where: { email: revoked },
    data: { revokedAt: new Date() },
  });
  await expectUnusable(second);
});

test('an invitation that expired on the way is not accepted', async () => {
  const email = newAddress();
  const link = await invite(email);
  gatehouse.advance(7 * 24 * 3600 - 100);
  const agent = newAgent();
  const page = await agent.submit(await agent.open(link), 'identify', { p_email: email });
  gatehouse.advance(200);
  await typeCode(gatehouse, agent, page, email, 1);
  const token = await tokenIn(agent);
  expect(token ? await teamsOf(token) : []).toEqual([]);
});

test('who is not invited does not get in, and is not mailed', async () => {
  const email = newAddress();
  const { clientId, callbackUrls } = account().applications[0]!;
  for (const [prompt, status] of [
    ['login', 200],
    ['create', 403],
  ] as const) {
    const agent = newAgent();
    const { url } = authorizationUrl({ issuer: account().issuer, clientId, redirectUri: callbackUrls[0]!, parameters: { prompt } });
    const page = await agent.submit(await agent.open(url), 'identify', { p_email: email });
    expect(page.status).toBe(status);
    if (status === 200) expect(headingOf(page)).toBe('Account not found');
    else expect(problemOf(page)).toMatch(/not open/);
  }
  expect(await gatehouse.mailCount(email)).toBe(0);
});

test('an invitation is for its own address, and for none that a pattern would take for it', async () => {
  const email = newAddress('jane.doe');
  await invite(email);
  const { clientId, callbackUrls } = account().applications[0]!;
  for (const similar of [email.replace('jane.doe', 'jane_doe'), email.replace('jane.doe', '%'), email.replace('jane.doe', 'jane\\.doe')]) {
    const agent = newAgent();
    const { url } = authorizationUrl({ issuer: account().issuer, clientId, redirectUri: callbackUrls[0]! });
    const page = await agent.submit(await agent.open(url), 'identify', { p_email: similar });
    expect([headingOf(page), await gatehouse.mailCount(similar)]).not.toContain('Check your mail');
  }
});

test('a link that was forwarded is worth nothing without the invited mailbox', async () => {
  const [email, stranger] = [newAddress(), newAddress('stranger')];
  const link = await invite(email);
  const agent = newAgent();
  const page = await agent.submit(await agent.open(link), 'identify', { p_email: stranger });
  expect([page.status, problemOf(page)]).toEqual([403, expect.stringMatching(/not open/)]);
  expect(await gatehouse.mailCount(stranger)).toBe(0);
  // A team member with an account who follows another's link stays who they are, and the invitation stays open.
  const { prisma } = gatehouse.app.infrastructure.database;
  const members = await prisma.teamMember.count();
  expect(headingOf(await accept(link, gatehouse.quickstart.owner.email))).toBe('Welcome');
  expect(await prisma.teamMember.count()).toBe(members);
  expect((await newAgent().open(link)).status).toBe(200);
});

test('the token of a link is nowhere in the database as it is', async () => {
  const link = await invite(newAddress());
  const { prisma } = gatehouse.app.infrastructure.database;
  expect(JSON.stringify(await prisma.teamInvitation.findMany())).not.toContain(link.split('/').at(-1));
});

test('the welcome page is the account environment’s alone', async () => {
  expect((await newAgent().open(`${gatehouse.baseUrl}/welcome`)).status).toBe(404);
});
