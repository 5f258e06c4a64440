/** What an event says of what it is about, as receivers of webhooks read it: names in snake case, the state at the end of the change. */
import type { Context } from '../context.ts';
import type { EventType } from './types.ts';

type Data = Record<string, Record<string, unknown>>;

/** The event's data, in one of the environments that are told; undefined when the thing was there no more at the end of the change. */
export async function dataOf(
  ctx: Context,
  type: EventType,
  {
    businessId,
    environmentId,
    id,
    details,
  }: { businessId: string; environmentId: string; id: string; details?: Readonly<Record<string, unknown>> },
): Promise<Data | undefined> {
  const [noun, verb] = type.split('.') as [string, string];
  const inEnvironment = { environmentId_id: { environmentId, id } };
  const inBusiness = { businessId_id: { businessId, id } };
  const found = await (async () => {
    switch (noun) {
      case 'user':
        return verb === 'created' || verb === 'updated' ? userData(ctx, inEnvironment) : { id };
      case 'passkey':
        return { id, user_id: details?.['userId'], name: details?.['name'] };
      case 'organization':
        return verb === 'deleted' ? { code: id } : organizationData(ctx, inEnvironment, verb);
      case 'role':
        return verb === 'deleted' ? { id } : roleData(ctx, inBusiness);
      case 'permission':
        return verb === 'deleted' ? { id } : ctx.db.permission.findUnique({ where: inBusiness, select: NAMED });
      default:
        return contactData(ctx, noun, inEnvironment);
    }
  })();
  return found ? { [noun]: found } : undefined;
}

const NAMED = { id: true, key: true, name: true, description: true } as const;
type InEnvironment = { environmentId_id: { environmentId: string; id: string } };
type InBusiness = { businessId_id: { businessId: string; id: string } };

async function userData(ctx: Context, where: InEnvironment) {
  const permission = { select: { id: true, key: true } };
  const user = await ctx.db.user.findUnique({
    where,
    select: {
      id: true,
      firstName: true,
      lastName: true,
      isPasswordResetRequested: true,
      isSuspended: true,
      identities: { where: { isPrimary: true }, select: { type: true, value: true } },
      memberships: {
        select: {
          organizationId: true,
          roles: { select: { role: { select: { key: true, permissions: { select: { permission } } } } } },
          permissions: { select: { permission } },
        },
        orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
      },
    },
  });
  if (!user) return undefined;
  const contact = (type: string) => user.identities.find((identity) => identity.type === type)?.value ?? null;
  return {
    id: user.id,
    email: contact('email'),
    first_name: user.firstName,
    last_name: user.lastName,
    phone: contact('phone'),
    username: contact('username'),
    is_password_reset_requested: user.isPasswordResetRequested,
    is_suspended: user.isSuspended,
    organizations: user.memberships.map(({ organizationId, roles, permissions }) => {
      const held = [...roles.flatMap(({ role }) => role.permissions), ...permissions].map((each) => each.permission);
      const distinct = [...new Map(held.map((each) => [each.id, each])).values()];
      return {
        code: organizationId,
        roles: roles.length > 0 ? roles.map(({ role }) => role.key) : null,
        permissions: distinct.length > 0 ? distinct : null,
      };
    }),
  };
}

async function organizationData(ctx: Context, where: InEnvironment, verb: string) {
  const select = { id: true, name: true, handle: true, externalId: true, isAutoMembershipEnabled: true } as const;
  const organization = await ctx.db.organization.findUnique({ where, select });
  if (!organization) return undefined;
  const { id, name, handle, externalId, isAutoMembershipEnabled } = organization;
  return {
    code: id,
    name,
    handle,
    external_id: externalId,
    ...(verb === 'updated' && { is_allow_registrations: isAutoMembershipEnabled }),
  };
}

async function roleData(ctx: Context, where: InBusiness) {
  const role = await ctx.db.role.findUnique({ where, select: { ...NAMED, isDefaultRole: true } });
  if (!role) return undefined;
  const { isDefaultRole, ...named } = role;
  return { ...named, is_default_role: isDefaultRole };
}

async function contactData(ctx: Context, noun: string, where: InEnvironment) {
  const query = { where, select: { id: true, email: true, firstName: true, lastName: true, userId: true } } as const;
  const contact = await (noun === 'subscriber' ? ctx.db.subscriber.findUnique(query) : ctx.db.accessRequest.findUnique(query));
  if (!contact) return undefined;
  const { id, email, firstName, lastName, userId } = contact;
  return { ...(noun === 'subscriber' && { id }), email, first_name: firstName, last_name: lastName, user_id: userId };
}
