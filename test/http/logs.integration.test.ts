/** What the log holds after people came and went: which route, how it ended and how long it took, and nothing about anybody. */
import { beforeAll, describe, expect, test } from 'vitest';
import { codeIn, startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { machineToken, postToken, teamToken, userAgent } from '../helpers/user-agent.ts';
import {
  choosePassword,
  codeForm,
  exchange,
  identify,
  newAddress,
  PASSWORD,
  refresh,
  requestOf,
  signIn,
  signUp,
  suspend,
  userIdOf,
} from '../signin/person.ts';

describe.each(['info', 'trace'])('at level %s', (level) => {
  const gatehouse = startApp({ TRUST_PROXY: 'true' });
  /** Everything that nobody may read in a log, by what it is. */
  const secrets = new Map<string, string>();
  const keep = (name: string, secret: string | null | undefined) => {
    if (!secret) throw new Error(`There is no ${name}.`);
    secrets.set(name, secret);
    return secret;
  };

  beforeAll(async () => {
    gatehouse.app.infrastructure.log.level = level;
    (gatehouse.app.server.log as { level: string }).level = level;
    const person = await signUp(gatehouse, { kind: 'reg', email: keep('address', newAddress('private')) });
    keep('name', 'Jane');
    keep('password', PASSWORD);
    keep('code of the mail', codeIn(await gatehouse.mailTo(person.email)));
    for (const [name, value] of person.agent.cookies) keep(`cookie ${name}`, value);

    const { first } = person;
    keep('authorization code', first.code);
    keep('verifier', first.verifier);
    keep('challenge', first.sent['code_challenge']);
    keep('state', first.sent['state']);
    keep('nonce', first.sent['nonce']);
    const { body } = await exchange(gatehouse, first, 'reg');
    for (const name of ['access_token', 'id_token', 'refresh_token'] as const) keep(name, body[name]);
    const { body: refreshed } = await refresh(gatehouse, body['refresh_token'], 'reg');
    for (const name of ['access_token', 'id_token', 'refresh_token'] as const) keep(`refreshed ${name}`, refreshed[name]);
    for (const type of ['reg', 'm2m'] as const) keep(`secret of ${type}`, gatehouse.application(type).clientSecret);
    keep('machine’s token', await machineToken(gatehouse));

    // What goes wrong is logged most.
    await signIn(gatehouse, person.email, { password: keep('wrong password', 'not the right harbour') });
    await signIn(gatehouse, keep('unknown address', newAddress('unknown'))).catch(() => undefined);
    await exchange(gatehouse, first, 'reg');
    await postToken(gatehouse.baseUrl, codeForm(gatehouse, first, 'reg', { client_secret: keep('wrong secret', 'w'.repeat(48)) }));
    await fetch(`${gatehouse.baseUrl}/oauth2/v2/user_profile`, {
      headers: { authorization: `Bearer ${keep('wrong token', 'not.a.token')}` },
    });
    await fetch(requestOf(gatehouse, 'spa', { redirect_uri: keep('wrong redirect', 'https://evil.test/collect') }).url);
    await fetch(`${gatehouse.baseUrl}/nothing/${keep('path', 'private-path')}?${keep('query', 'private-query')}`);
    await fetch(`${gatehouse.baseUrl}/logout?redirect=https://elsewhere.test/&id_token_hint=${body['id_token']}`);
    await fetch(`${gatehouse.baseUrl}/%zz${keep('unreadable path', 'unreadable-path')}`);

    const agent = userAgent(gatehouse.baseUrl);
    const { page } = await identify(gatehouse, agent, person.email);
    keep('attempt', page.url.split('/').at(-1));
    keep('form token', /name="csrf" value="([^"]+)"/.exec(page.html)![1]);
    const forgot = await agent.submit(page, 'forgot');
    await agent.submit(forgot, 'code', { p_confirmation_code: keep('wrong code', '000001') });
    const code = keep('code of the reset', codeIn(await gatehouse.mailTo(person.email, { after: 1 })));
    await choosePassword(
      agent,
      await agent.submit(forgot, 'code', { p_confirmation_code: code }),
      keep('new password', 'a new quiet harbour'),
    );
    await suspend(gatehouse, { userId: await userIdOf(gatehouse, person.email) });
    await identify(gatehouse, userAgent(gatehouse.baseUrl), person.email);

    const owner = keep('owner’s token', await teamToken(gatehouse, keep('owner’s address', gatehouse.quickstart.owner.email)));
    const { data } = await ask<{ viewer: { businesses: { nodes: { id: string }[] } } }, object>(
      gatehouse,
      owner,
      '{ viewer { businesses { nodes { id } } } }',
    );
    const invited = keep('invited address', newAddress('invited'));
    const input = { businessId: data!.viewer.businesses.nodes[0]!.id, email: invited, roles: ['ADMIN'] };
    await ask(gatehouse, owner, 'mutation ($input: InviteTeamMemberInput!) { inviteTeamMember(input: $input) { errors { code } } }', {
      input,
    });
    const link = /https?:\S+\/team-invitation\/(\S+)/.exec((await gatehouse.mailTo(invited)).text)!;
    keep('invitation', link[1]);
    await fetch(link[0]);
    await fetch(`${link[0]}x`);
  });

  test('nothing in it could be used or tells who somebody is', () => {
    const log = gatehouse.log();
    // A short number also turns up within longer ones: a code counts where it stands by itself.
    const isTold = (secret: string) =>
      /^\d+$/.test(secret)
        ? new RegExp(`(?<![\\w-])${secret}(?![\\w-])`).test(log)
        : log.includes(secret) || log.includes(encodeURIComponent(secret));
    const signatures = [...secrets].flatMap(([name, secret]) =>
      secret.length > 200 ? [[`${name}’s signature`, secret.split('.')[2]!] as const] : [],
    );
    expect([...secrets, ...signatures].filter(([, secret]) => isTold(secret)).map(([name]) => name)).toEqual([]);
    expect(signatures.length).toBeGreaterThan(5);
    expect(log.includes('@mail.test')).toBe(false);
  });

  test('it says which route was asked for, how that ended and in which environment', () => {
    const lines = gatehouse.logLines();
    const requests = lines.filter(({ msg }) => msg === 'request');
    expect(requests).toContainEqual(
      expect.objectContaining({
        method: 'POST',
        route: '/signin/:id/:form',
        status: 303,
        reqId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        environmentId: expect.stringMatching(/^env_/),
        ms: expect.any(Number),
      }),
    );
    expect(requests).toContainEqual(expect.objectContaining({ method: 'POST', route: '/oauth2/token', status: 401 }));
    expect(requests).toContainEqual(expect.objectContaining({ method: 'GET', route: '/team-invitation/:token', status: 404 }));
    expect(lines.filter((line) => Number(line['level']) >= 50)).toEqual([]);
  });
});
