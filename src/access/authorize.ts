/** Whether an actor holds a permission over a tenant. Pure and synchronous: an actor carries its grants. */
import type { Actor, Tenant } from '../kernel/actor.ts';
import { ForbiddenError, UnauthenticatedError } from '../kernel/errors.ts';
import { PERMISSIONS, type PermissionName } from './permissions.ts';

/** Does the actor hold `permission` over `tenant`? */
export function can(actor: Actor, permission: PermissionName, tenant: Tenant): boolean {
  switch (actor.kind) {
    case 'system':
      return true;
    case 'machine':
      return (
        ('environmentId' in tenant ? tenant.environmentId === actor.environmentId : tenant.businessId === actor.businessId) &&
        actor.permissions.has(permission)
      );
    case 'team': {
      const businessId = 'environmentId' in tenant ? actor.environments.get(tenant.environmentId) : tenant.businessId;
      return businessId !== undefined && (actor.businesses.get(businessId)?.permissions.has(permission) ?? false);
    }
    default:
      return false;
  }
}

/** @throws ForbiddenError naming the permission */
export function assertCan(actor: Actor, permission: PermissionName, tenant: Tenant): void {
  if (!can(actor, permission, tenant)) throw refusal(actor, permission);
}

/** The environments in which the actor holds `permission`: the tenants that a look-up by id alone may search. */
export function environmentsWith(actor: Actor, permission: PermissionName): string[] {
  if (actor.kind === 'machine') return actor.permissions.has(permission) ? [actor.environmentId] : [];
  if (actor.kind !== 'team') return [];
  return [...actor.environments.keys()].filter((environmentId) => can(actor, permission, { environmentId }));
}

/** The businesses in which the actor holds `permission`. */
export function businessesWith(actor: Actor, permission: PermissionName): string[] {
  if (actor.kind === 'machine') return actor.permissions.has(permission) ? [actor.businessId] : [];
  if (actor.kind !== 'team') return [];
  return [...actor.businesses].filter(([, grants]) => grants.permissions.has(permission)).map(([businessId]) => businessId);
}

/** Does the actor hold `permission` over any tenant at all? */
export function holdsAnywhere(actor: Actor, permission: PermissionName): boolean {
  return actor.kind === 'system' || environmentsWith(actor, permission).length > 0 || businessesWith(actor, permission).length > 0;
}

/** Everything that the actor may do over `tenant`, sorted. */
export function permissionsOver(actor: Actor, tenant: Tenant): PermissionName[] {
  return PERMISSIONS.filter((permission) => can(actor, permission, tenant));
}

/** What to answer an actor without `permission`: sign in first, or ask for that permission. */
export function refusal(actor: Actor, permission: PermissionName): ForbiddenError | UnauthenticatedError {
  return actor.kind === 'anonymous' ? new UnauthenticatedError() : new ForbiddenError(permission);
}
