import { createOrganizationInvitation } from '../../../src/features/organization-invitations/service.ts';
import { createOrganization } from '../../../src/features/organizations/service.ts';
import { type EnvironmentPlace, type FeatureCases, LONG, type Mistake, type MistakeStage, type Stage, textMistakes } from './cases.ts';

const invitation = ({ world }: Pick<Stage, 'world'>) => ({
  organizationId: world.ids.Organization,
  email: 'new@people.test',
  sendEmail: false,
});

async function newInvitation({ ctx, world }: Stage, name: string): Promise<{ invitationId: string }> {
  const wanted = { organizationId: world.ids.Organization, email: `${name}@people.test`, sendEmail: false };
  return { invitationId: (await createOrganizationInvitation(ctx, wanted)).invitation.id };
}

async function accepted(stage: MistakeStage): Promise<{ invitationId: string }> {
  const made = await newInvitation(stage, 'accepted');
  await stage.ctx.db.organizationInvitation.updateMany({ where: { id: made.invitationId }, data: { acceptedAt: new Date() } });
  return made;
}

const isOff = (input: (stage: MistakeStage) => object | Promise<object>): Mistake => ({ code: 'INVITATIONS_OFF', path: [], input });

async function invite({ ctx, ids }: EnvironmentPlace, name: string): Promise<string> {
  const wanted = { organizationId: ids['Organization']!, email: `${name}@people.test`, roleIds: [ids['Role']!], sendEmail: false };
  return (await createOrganizationInvitation(ctx, wanted)).invitation.id;
}

export const organizationInvitations: FeatureCases = {
  kinds: { OrganizationInvitation: 'organizationInvitation' },
  fillEnvironment: async (place): Promise<Record<string, string>> => {
    const { ctx, environmentId, ids } = place;
    const invitationApplicationId = ids['publicApplication']!;
    const key = { environmentId_id: { environmentId, id: invitationApplicationId } };
    await ctx.db.application.update({ where: key, data: { loginUri: 'https://app.test/login?from=mail' } });
    await ctx.db.environment.update({ where: { id: environmentId }, data: { allowInvitations: true, invitationApplicationId } });
    return { OrganizationInvitation: await invite(place, `${place.name}-invited`) };
  },
  addRow: async (place, row) => void (await invite(place, `invited-${row}`)),
  lists: {
    'organizations with their invitations': `environment(id: $environmentId) { organizations(first: $first) { nodes {
      invitations(first: $first) { totalCount nodes { email state roles { key } } }
    } } }`,
  },
  shortLists: ['OrganizationInvitation.roles'],
  open: [
    ...['CreateOrganizationInvitationPayload.inviteLink', 'ResendOrganizationInvitationPayload.inviteLink'], // Shown this once.
  ],
  mutations: {
    createOrganizationInvitation: {
      permission: 'create:organization_invites',
      action: 'organization_invitation.created',
      bulk: 'createOrganizationInvitations',
      input: (stage, name) => ({ ...invitation(stage), email: `${name}@people.test` }),
      foreign: [
        { type: 'Organization', input: (organizationId) => ({ organizationId, email: 'mine@people.test' }) },
        { type: 'Role', input: (id, world) => ({ ...invitation({ world }), roleIds: [id] }) },
      ],
      mistakes: [
        ...textMistakes('firstName', invitation, false),
        { code: 'REQUIRED', path: ['email'], input: (stage) => ({ ...invitation(stage), email: ' ' }) },
        { code: 'TOO_LONG', path: ['lastName'], input: (stage) => ({ ...invitation(stage), lastName: LONG.slice(0, 65) }) },
        { code: 'INVALID_EMAIL', path: ['email'], input: (stage) => ({ ...invitation(stage), email: 'somebody' }) },
        {
          code: 'ALREADY_MEMBER',
          path: ['email'],
          input: (stage) => ({ ...invitation(stage), email: `${stage.world.name.toUpperCase()}-User@People.Test` }),
        },
        {
          code: 'SUSPENDED',
          path: ['organizationId'],
          input: async (stage) => {
            const { ctx, world } = stage;
            const { id } = await createOrganization(ctx, { environmentId: world.ids.Environment, name: 'Suspended' });
            await ctx.db.organization.updateMany({ where: { id }, data: { isSuspended: true } });
            return { ...invitation(stage), organizationId: id };
          },
        },
        { code: 'UNKNOWN_LANGUAGE', path: ['language'], input: (stage) => ({ ...invitation(stage), language: 'tlh' }) },
        {
          code: 'TOO_MANY',
          path: ['roleIds'],
          input: (stage) => ({ ...invitation(stage), roleIds: Array(101).fill(stage.world.ids.Role) }),
        },
        isOff(async ({ ctx, small }) => {
          await ctx.db.environment.updateMany({ where: { id: small.ids.Environment }, data: { allowInvitations: false } });
          return invitation({ world: small });
        }),
      ],
    },
    resendOrganizationInvitation: {
      permission: 'create:organization_invites',
      action: 'organization_invitation.resent',
      input: (stage, name) => newInvitation(stage, name),
      foreign: [{ type: 'OrganizationInvitation', input: (invitationId) => ({ invitationId }) }],
      mistakes: [
        { code: 'NOT_OPEN', path: ['invitationId'], input: accepted },
        isOff(async ({ ctx, small }) => {
          await ctx.db.environment.updateMany({ where: { id: small.ids.Environment }, data: { allowInvitations: false } });
          return { invitationId: small.ids['OrganizationInvitation'] };
        }),
      ],
    },
    revokeOrganizationInvitation: {
      permission: 'delete:organization_invites',
      action: 'organization_invitation.revoked',
      input: (stage, name) => newInvitation(stage, name),
      foreign: [{ type: 'OrganizationInvitation', input: (invitationId) => ({ invitationId }) }],
      mistakes: [{ code: 'NOT_OPEN', path: ['invitationId'], input: accepted }],
    },
  },
};
