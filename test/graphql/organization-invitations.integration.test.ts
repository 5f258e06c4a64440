/** Invitations into organizations: the link is a credential, shown and mailed once, and the last one is the only one. */
import { beforeAll, describe, expect, test } from 'vitest';
import { sha256 } from '../../src/security/secrets.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { makeWorld, operator, signInMember, type World } from './world.ts';

const gatehouse = startApp();
let world: World;
let token: string;

beforeAll(async () => {
  world = await makeWorld(gatehouse, 'alpha');
  token = await signInMember(gatehouse, world.businessId, 'owner@alpha.test', ['owner']);
});

interface Payload {
  readonly invitation: { readonly id: string; readonly state: string } | null;
  readonly inviteLink?: string | null;
  readonly errors: readonly { readonly code: string }[];
}

async function mutate(name: string, input: object): Promise<Payload> {
  const link = name.startsWith('revoke') ? '' : 'inviteLink';
  const document = `mutation ($input: ${name[0]!.toUpperCase()}${name.slice(1)}Input!) {
    ${name}(input: $input) { invitation { id state isSent roles { key } } ${link} errors { code } }
  }`;
  const { data, errors } = await ask<Record<string, Payload>, object>(gatehouse, token, document, { input });
  expect(errors).toEqual([]);
  return data![name]!;
}
const invite = (email: string, input: object = {}) =>
  mutate('createOrganizationInvitation', { organizationId: world.ids.Organization, email, ...input });
const codeOf = ({ inviteLink }: Payload) => new URL(inviteLink!).searchParams.get('invitation_code')!;
const rowWith = (code: string) => operator(gatehouse).db.organizationInvitation.findFirst({ where: { codeHash: sha256(code) } });

describe('an invitation', () => {
  test('is mailed with the link that its maker is shown, at the application that takes invitations', async () => {
    const made = await invite('mailed@people.test', { firstName: 'Jane', roleIds: [world.ids.Role] });
    expect(made).toMatchObject({ invitation: { state: 'PENDING', isSent: true, roles: [{ key: 'alpha-role' }] }, errors: [] });
    expect(made.inviteLink).toMatch(/^https:\/\/app\.test\/login\?from=mail&invitation_code=[\w-]{43}$/);
    const mail = await gatehouse.mailTo('mailed@people.test');
    expect(mail.text).toContain(made.inviteLink);
    expect(await rowWith(codeOf(made))).toMatchObject({ id: made.invitation!.id });
    expect(JSON.stringify(await operator(gatehouse).db.organizationInvitation.findMany())).not.toContain(codeOf(made));
    expect(gatehouse.log()).not.toContain(codeOf(made));
  });

  test('is not mailed where that is not wanted', async () => {
    expect(await invite('quiet@people.test', { sendEmail: false })).toMatchObject({ invitation: { isSent: false }, errors: [] });
    expect(await gatehouse.mailCount('quiet@people.test')).toBe(0);
  });

  test('has another link when it is sent again, and only that one', async () => {
    const made = await invite('again@people.test');
    const again = await mutate('resendOrganizationInvitation', { invitationId: made.invitation!.id });
    expect(codeOf(again)).not.toBe(codeOf(made));
    expect(await rowWith(codeOf(made))).toBeNull();
    expect(await rowWith(codeOf(again))).toMatchObject({ id: made.invitation!.id });
  });

  test('is revoked once, however often and however many ask for it at the same moment', async () => {
    const { invitation } = await invite('revoked@people.test');
    const input = { invitationId: invitation!.id };
    const answers = await Promise.all([1, 2, 3].map(() => mutate('revokeOrganizationInvitation', input)));
    for (const answer of answers) expect(answer).toMatchObject({ invitation: { state: 'REVOKED' }, errors: [] });
    const written = { action: 'organization_invitation.revoked', targetId: invitation!.id };
    expect(await operator(gatehouse).db.auditEvent.count({ where: written })).toBe(1);
    expect(await mutate('resendOrganizationInvitation', input)).toMatchObject({ invitation: null, errors: [{ code: 'NOT_OPEN' }] });
  });

  test('is found by what has become of it, and expires after seven days', async () => {
    const { invitation } = await invite('late@people.test');
    const list = async (state: string) => {
      const document = `query ($id: ID!) { node(id: $id) { ... on Organization { invitations(state: ${state}, first: 100) { nodes { id } } } } }`;
      const { data } = await ask<{ node: { invitations: { nodes: { id: string }[] } } }, object>(gatehouse, token, document, {
        id: world.ids.Organization,
      });
      return data!.node.invitations.nodes.map(({ id }) => id);
    };
    expect([await list('PENDING'), await list('EXPIRED')].map((ids) => ids.includes(invitation!.id))).toEqual([true, false]);
    await operator(gatehouse).db.organizationInvitation.updateMany({ where: { id: invitation!.id }, data: { expiresAt: new Date(0) } });
    expect([await list('PENDING'), await list('EXPIRED')].map((ids) => ids.includes(invitation!.id))).toEqual([false, true]);
    const again = await mutate('resendOrganizationInvitation', { invitationId: invitation!.id });
    expect(again).toMatchObject({ invitation: { state: 'PENDING' } });
    gatehouse.advance(7 * 24 * 3600 + 1);
    token = await signInMember(gatehouse, world.businessId, 'other-owner@alpha.test', ['owner']);
    expect((await list('EXPIRED')).includes(invitation!.id)).toBe(true);
  });
});
