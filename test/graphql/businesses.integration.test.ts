/** What a business's team is promised about the business itself: its details, its plan, and its end. */
import { beforeAll, describe, expect, test } from 'vitest';
import { createApplication } from '../../src/features/applications/service.ts';
import { createEnvironment, freeReservedDomain } from '../../src/features/environments/service.ts';
import type { Plan } from '../../src/features/plans.ts';
import { newId } from '../../src/kernel/ids.ts';
import { codeIn, startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { authorizationUrl, postToken, teamToken, userAgent } from '../helpers/user-agent.ts';
import { digestOfEverything, makeMember, makeWorld, operator, tokenOf } from './world.ts';

const gatehouse = startApp();
/** Somebody who is made an Owner of every business here. */
let token: string;

beforeAll(async () => {
  const { businessId } = await newBusiness('first');
  expect(businessId).toMatch(/^biz_/);
  token = await teamToken(gatehouse, 'owner@team.test');
});

async function newBusiness(name: string, plan: Plan = 'scale') {
  const world = await makeWorld(gatehouse, name, plan);
  const { db } = operator(gatehouse);
  const { businessId } = world;
  // What these tests count begins with nothing.
  await db.webhook.deleteMany({ where: { environment: { businessId } } });
  await db.apiKey.deleteMany({ where: { environment: { businessId } } });
  await db.session.deleteMany({ where: { environment: { businessId } } });
  await db.teamPolicy.deleteMany({ where: { businessId } });
  await makeMember(gatehouse, world.businessId, 'owner@team.test', ['owner']);
  return world;
}

type Answer<Name extends string> = Record<Name, Record<string, unknown> | null>;

const mutate = <Name extends string>(name: Name, input: object, selection: string, as = token) =>
  ask<Answer<Name>, { input: object }>(
    gatehouse,
    as,
    `mutation ($input: ${name[0]!.toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) { ${selection} errors { ... on UserError { message path } } } }`,
    { input },
  );

const DETAILS = 'name email phone industry timezone termsUrl privacyUrl isTermsAcceptanceExplicit version';
const details = async (businessId: string) =>
  (await ask<{ business: Record<string, unknown> }, object>(gatehouse, token, `{ business(id: "${businessId}") { ${DETAILS} } }`)).data!
    .business;

describe('details', () => {
  test('are what they were changed to, one by one, and null takes them away', async () => {
    const { businessId } = await newBusiness('detailed');
    const everything = {
      name: 'Detailed Ltd.',
      email: 'Hello@Detailed.test',
      phone: '+61 (555) 111-555',
      industry: 'software',
      timezone: 'Australia/Sydney',
      termsUrl: 'https://detailed.test/terms?v=2',
      privacyUrl: 'https://detailed.test/privacy',
      isTermsAcceptanceExplicit: true,
    };
    const { data } = await mutate('updateBusiness', { businessId, ...everything }, `business { ${DETAILS} }`);
    const now = { ...everything, phone: '+61555111555', version: 2 };
    expect(data?.updateBusiness).toEqual({ business: now, errors: [] });
    await mutate('updateBusiness', { businessId, industry: null, termsUrl: ' ' }, '__typename');
    expect(await details(businessId)).toEqual({ ...now, industry: null, termsUrl: null, version: 3 });
  });

  test('may be every word of the lists that the graph gives', async () => {
    const { businessId } = await newBusiness('listed');
    const { data } = await ask<Record<'industries' | 'timezones', { key: string; name: string }[]>, object>(
      gatehouse,
      token,
      '{ industries { key name } timezones { key name } }',
    );
    const { industries, timezones } = data!;
    expect(timezones.map(({ key }) => key)).toEqual(expect.arrayContaining(['UTC', 'Europe/Dublin', 'America/New_York']));
    expect(timezones).toContainEqual({ key: 'America/New_York', name: 'America/New York' });
    for (const list of [industries, timezones]) expect(new Set(list.map(({ key }) => key)).size).toBe(list.length);
    for (const { key: timezone } of [timezones[0]!, timezones.at(-1)!])
      for (const { key: industry } of [industries[0]!, industries.at(-1)!]) {
        expect((await mutate('updateBusiness', { businessId, industry, timezone }, '__typename')).data?.updateBusiness).toMatchObject({
          errors: [],
        });
        expect(await details(businessId)).toMatchObject({ industry, timezone });
      }
  });

  test('do not include the region or a domain', async () => {
    const { businessId } = await newBusiness('settled');
    for (const change of [{ region: 'US' }, { domain: 'elsewhere' }]) {
      const { data, errors } = await mutate('updateBusiness', { businessId, ...change }, '__typename');
      expect({ data, errors }).toEqual({
        data: null,
        errors: [expect.objectContaining({ message: expect.stringMatching(/not defined/) })],
      });
    }
  });
});

test('a perk code is kept with the time that it was entered at, and is for whoever reads the billing', async () => {
  const { businessId } = await newBusiness('perky');
  const entered = gatehouse.app.infrastructure.clock.now().getTime();
  await mutate('enterPerkCode', { businessId, code: ' PARTNER-1 ' }, '__typename');
  const { data } = await mutate('enterPerkCode', { businessId, code: 'PARTNER-2' }, 'business { perkCode perkCodeEnteredAt }');
  expect(data?.enterPerkCode).toMatchObject({ business: { perkCode: 'PARTNER-2' }, errors: [] });
  const { perkCodeEnteredAt } = data!.enterPerkCode!['business'] as { perkCodeEnteredAt: string };
  expect(new Date(perkCodeEnteredAt).getTime()).toBeGreaterThanOrEqual(entered);
  const { db } = operator(gatehouse);
  const events = await db.auditEvent.findMany({ where: { businessId, action: 'business.perk_code_entered' } });
  expect(events).toHaveLength(2);
  expect(JSON.stringify(events)).not.toContain('PARTNER');
});

interface Limits {
  readonly plan: string;
  readonly planLimits: {
    readonly auditDays: number;
    readonly nonProductionEnvironments: { allowed: number; used: number };
    readonly webhooks: { allowed: number | null; used: number };
    readonly features: readonly { feature: string; isAllowed: boolean; used: number }[];
  };
}

async function limitsOf(businessId: string): Promise<Limits> {
  const document = `{ business(id: "${businessId}") { plan planLimits {
    auditDays nonProductionEnvironments { allowed used } webhooks { allowed used } features { feature isAllowed used }
  } } }`;
  return (await ask<{ business: Limits }, object>(gatehouse, token, document)).data!.business;
}
const allowedBy = ({ planLimits }: Limits) => planLimits.features.filter(({ isAllowed }) => isAllowed).map(({ feature }) => feature);
const usedIn = ({ planLimits }: Limits) =>
  Object.fromEntries(planLimits.features.filter(({ used }) => used > 0).map(({ feature, used }) => [feature, used]));

describe('a plan', () => {
  const PAID = ['SPECIALIST_ROLES', 'TEAM_MFA', 'API_KEYS', 'PASSKEYS', 'HIDDEN_BADGE', 'EXPLICIT_TERMS_ACCEPTANCE', 'PREVIOUS_SECRETS'];
  const PLUS = [...PAID, 'CUSTOM_SCOPES', 'ORGANIZATION_MACHINES'];
  const SCALE = [...PLUS, 'ADVANCED_ORGANIZATIONS', 'TEAM_SSO'];

  test.each([
    { plan: 'FREE', auditDays: 1, environments: 1, webhooks: 1, features: [] },
    { plan: 'PRO', auditDays: 7, environments: 2, webhooks: null, features: PAID },
    { plan: 'PLUS', auditDays: 14, environments: 5, webhooks: null, features: PLUS },
    { plan: 'SCALE', auditDays: 30, environments: 10, webhooks: null, features: SCALE },
    { plan: 'ENTERPRISE', auditDays: 365, environments: 100, webhooks: null, features: SCALE },
  ])('$plan has its limits and its features', async ({ plan, auditDays, environments, webhooks, features }) => {
    const { businessId } = await newBusiness(`on-${plan.toLowerCase()}`, plan.toLowerCase() as Plan);
    const limits = await limitsOf(businessId);
    expect(limits).toMatchObject({
      plan,
      planLimits: {
        auditDays,
        nonProductionEnvironments: { allowed: environments, used: 1 },
        webhooks: { allowed: webhooks, used: 0 },
      },
    });
    expect(allowedBy(limits)).toEqual(features);
  });

  test('says how much of it is used, of this business and of no other', async () => {
    const [{ businessId, ids }, other] = [await newBusiness('used'), await newBusiness('unused')];
    const { db } = operator(gatehouse);
    const before = await limitsOf(other.businessId);
    await makeMember(gatehouse, businessId, 'one@team.test', ['finance', 'admin']);
    await makeMember(gatehouse, businessId, 'two@team.test', ['read_only']);
    await db.organization.updateMany({ where: { environmentId: ids.Environment }, data: { isAdvanced: true } });
    const environmentId = ids.Environment;
    await db.webhook.create({ data: { environmentId, id: newId('webhook'), name: 'Hook', url: 'https://hook.test', eventTypes: [] } });
    await db.application.updateMany({ where: { environmentId, type: 'm2m' }, data: { previousSecretHash: 'hash' } });
    const limits = await limitsOf(businessId);
    expect(limits.planLimits.webhooks.used).toBe(1);
    expect(usedIn(limits)).toEqual({ ...usedIn(before), SPECIALIST_ROLES: 2, ADVANCED_ORGANIZATIONS: 2, PREVIOUS_SECRETS: 1 });
    expect(await limitsOf(other.businessId)).toEqual(before);
  });

  test('is left for a smaller one only once nothing stands in the way, and says all that does', async () => {
    const ctx = operator(gatehouse);
    const { businessId } = await newBusiness('shrinking');
    await createEnvironment(ctx, { businessId, name: 'Second', domain: 'shrinking-second' });
    const { memberId } = await makeMember(gatehouse, businessId, 'specialist@team.test', ['engineer']);
    const move = async (plan: string) => {
      const { data } = await mutate('updateBusinessPlan', { businessId, plan }, 'business { plan }');
      const { errors } = data!.updateBusinessPlan as { errors: { message: string; path: string[] }[] };
      return errors.map(({ message }) => message);
    };
    const before = await digestOfEverything(gatehouse);
    expect(await move('FREE')).toEqual([
      'The free plan allows 1 of the 2 non-production environments.',
      'The business uses team roles besides Owner and Admin, and the free plan comes without.',
      'The business uses scopes of custom APIs, and the free plan comes without.',
    ]);
    expect(await digestOfEverything(gatehouse)).toBe(before);
    await ctx.db.apiScope.deleteMany({ where: { api: { environment: { businessId } } } });
    await ctx.db.teamMember.updateMany({ where: { id: memberId }, data: { roles: ['admin'] } });
    expect(await move('FREE')).toHaveLength(1);
    expect(await move('PRO')).toEqual([]);
    await mutate(
      'deleteEnvironment',
      { environmentId: (await ctx.db.environment.findUniqueOrThrow({ where: { domain: 'shrinking-second' } })).id, confirmation: 'Second' },
      '__typename',
    );
    expect(await move('FREE')).toEqual([]);
    expect((await limitsOf(businessId)).plan).toBe('FREE');
    const written = await ctx.db.auditEvent.findMany({ where: { businessId, action: 'business.plan_changed' }, orderBy: { id: 'asc' } });
    expect(written.map(({ details: said }) => said)).toEqual([
      { before: 'scale', after: 'pro' },
      { before: 'pro', after: 'free' },
    ]);
  });

  // On the embedded database one waits for the other from the start; on PostgreSQL both are under way.
  test.each([1, 2, 3])('holds when it is left at the moment that more of it is used (round %i)', async (round) => {
    const { db } = operator(gatehouse);
    const { businessId } = await newBusiness(`contested-${round}`, 'pro');
    await db.apiScope.deleteMany({ where: { api: { environment: { businessId } } } });
    await Promise.all([
      mutate('updateBusinessPlan', { businessId, plan: 'FREE' }, '__typename'),
      mutate('createEnvironment', { businessId, name: 'Late', domain: `contested-${round}-late` }, '__typename'),
      mutate('inviteTeamMember', { businessId, email: `late-${round}@team.test`, roles: ['FINANCE'] }, '__typename'),
    ]);
    const { plan, planLimits } = await limitsOf(businessId);
    const specialists = planLimits.features.find(({ feature }) => feature === 'SPECIALIST_ROLES')!;
    if (plan === 'FREE') expect([planLimits.nonProductionEnvironments.used, specialists.used]).toEqual([1, 0]);
    else expect(planLimits.nonProductionEnvironments.used + specialists.used).toBeGreaterThan(1);
  });
});

/** Somebody who has signed up at the issuer's application, and what the application was given. */
async function signUpAt(environmentId: string, issuer: string, email: string) {
  const redirectUri = 'https://app.test/callback';
  const made = await createApplication(operator(gatehouse), { environmentId, name: 'App', type: 'spa', callbackUrls: [redirectUri] });
  const clientId = made.application.id.slice('app_'.length);
  const agent = userAgent(gatehouse.baseUrl);
  const request = authorizationUrl({ issuer, clientId, redirectUri, parameters: { prompt: 'create' } });
  const page = await agent.submit(await agent.open(request.url), 'identify', { p_email: email });
  const done = await agent.submit(page, 'code', { p_confirmation_code: codeIn(await gatehouse.mailTo(email)) });
  const code = new URL(done.url).searchParams.get('code')!;
  const form = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, client_id: clientId, code_verifier: request.verifier };
  const { body } = await postToken(issuer, form);
  const refresh = () => fetchToken(issuer, { grant_type: 'refresh_token', refresh_token: body.refresh_token, client_id: clientId });
  const profile = () => fetch(`${issuer}/oauth2/v2/user_profile`, { headers: { authorization: `Bearer ${body.access_token}` } });
  return { agent, request, refresh, profile };
}

async function fetchToken(issuer: string, form: Record<string, string>): Promise<number> {
  return (await fetch(`${issuer}/oauth2/token`, { method: 'POST', body: new URLSearchParams(form) })).status;
}

const GONE = 'deletedId preview { endedSessions revokedTokens rows { kind deleted } teamMembers { userId lost } }';

describe('the end of a business', () => {
  test('ends everybody’s access to all of its environments, and leaves every other business as it was', async () => {
    const { db } = operator(gatehouse);
    const [gone, kept] = [await newBusiness('gone', 'free'), await newBusiness('kept')];
    const { issuer } = gone.production.machine;
    const person = await signUpAt(gone.ids.Environment, issuer, 'person@gone.test');
    const machine = await tokenOf(gone.production.machine);
    expect([(await person.profile()).status, await person.refresh()]).toEqual([200, 200]);
    expect((await ask(gatehouse, machine, '{ viewer { kind } }')).status).toBe(200);

    const input = { businessId: gone.businessId };
    const before = await digestOfEverything(gatehouse);
    const dry = await mutate('deleteBusiness', { ...input, dryRun: true }, GONE);
    expect(await digestOfEverything(gatehouse)).toBe(before);
    const { preview } = dry.data!.deleteBusiness as {
      preview: Record<string, unknown> & { rows: unknown[]; teamMembers: { lost: string[] }[] };
    };
    expect(preview).toMatchObject({ endedSessions: 1, revokedTokens: 1 });
    expect(preview.rows).toEqual(
      expect.arrayContaining([
        { kind: 'businesses', deleted: 1 },
        { kind: 'environments', deleted: 2 },
        { kind: 'sessions', deleted: 1 },
        { kind: 'users', deleted: 3 },
        { kind: 'team_members', deleted: 2 },
      ]),
    );
    expect(preview.teamMembers).toHaveLength(2);
    for (const { lost } of preview.teamMembers) expect(lost).toContain('delete:businesses');

    const rowsKept = () => db.user.findMany({ where: { environment: { businessId: kept.businessId } } });
    const usersKept = await rowsKept();
    const done = await mutate('deleteBusiness', { ...input, confirmation: 'gone' }, 'deletedId');
    expect(done.data?.deleteBusiness).toEqual({ deletedId: gone.businessId, errors: [] });
    expect(await rowsKept()).toEqual(usersKept);
    for (const table of ['user', 'session', 'grant', 'application', 'organization', 'signingKey'] as const)
      expect(await (db[table] as typeof db.user).count({ where: { environmentId: gone.ids.Environment } })).toBe(0);

    expect((await person.profile()).status).not.toBe(200);
    expect(await person.refresh()).not.toBe(200);
    const { clientId, clientSecret } = gone.production.machine;
    const again = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret, audience: `${issuer}/api` };
    expect(await fetchToken(issuer, again)).not.toBe(200);
    expect((await ask(gatehouse, machine, '{ viewer { kind } }')).status).toBe(401);
    gatehouse.advance(6); // Where environments are is remembered for five seconds.
    expect((await person.agent.open(person.request.url)).status).toBe(404);
    expect(
      (await ask(gatehouse, token, `{ business(id: "${gone.businessId}") { id } node(id: "${gone.ids.Environment}") { id } }`)).data,
    ).toEqual({ business: null, node: null });
    const written = await db.auditEvent.findMany({ where: { businessId: gone.businessId, action: 'business.deleted' } });
    expect(written).toHaveLength(1);
  });

  test('keeps its domains from everybody until the platform’s operator frees them', async () => {
    const ctx = operator(gatehouse);
    const { businessId } = await newBusiness('spent', 'free');
    await mutate('deleteBusiness', { businessId, confirmation: 'spent' }, '__typename');
    const take = async (domain: string) =>
      (await mutate('createBusiness', { name: 'Taker', region: 'IE', domain }, 'business { id }')).data!.createBusiness!['errors'];
    for (const domain of ['spent', 'spent-dev']) {
      expect(await take(domain)).toMatchObject([{ message: 'This domain is in use.', path: ['domain'] }]);
      expect(await freeReservedDomain(ctx, domain)).toBe(true);
      expect(await freeReservedDomain(ctx, domain)).toBe(false);
      expect(await take(domain)).toEqual([]);
    }
  });

  test('does not make a domain from a name that was deleted', async () => {
    const { businessId } = await newBusiness('former', 'free');
    await mutate('deleteBusiness', { businessId, confirmation: 'former' }, '__typename');
    const { data } = await mutate('createBusiness', { name: 'Former', region: 'IE' }, 'business { environments { nodes { domain } } }');
    expect(data?.createBusiness).toMatchObject({ business: { environments: { nodes: [{ domain: 'former-2' }] } } });
  });

  test('is for Owners', async () => {
    const { businessId } = await newBusiness('guarded', 'free');
    await makeMember(gatehouse, businessId, 'admin@team.test', ['admin']);
    const admin = await teamToken(gatehouse, 'admin@team.test');
    const { data, errors } = await mutate('deleteBusiness', { businessId, confirmation: 'guarded' }, '__typename', admin);
    expect({ data, errors }).toMatchObject({
      data: { deleteBusiness: null },
      errors: [{ extensions: { permission: 'delete:businesses' } }],
    });
  });

  test('comes once, when it is asked for twice at the same moment', async () => {
    const { businessId } = await newBusiness('twice', 'free');
    const answers = await Promise.all([1, 2].map(() => mutate('deleteBusiness', { businessId, confirmation: 'twice' }, 'deletedId')));
    expect(answers.filter(({ data }) => data?.deleteBusiness)).toHaveLength(1);
    expect(answers.flatMap(({ errors }) => errors.map(({ extensions }) => extensions.code))).toEqual(['NOT_FOUND']);
  });
});
