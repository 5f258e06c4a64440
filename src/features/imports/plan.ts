/**
 * Decides what a chunk of lines changes, without the database: the rows to insert, and what to tell about each line.
 * An import only ever adds. What an existing user has, from the name to the password, stays as it is.
 */
import type { Prisma } from '../../db/client.ts';
import { newId } from '../../kernel/ids.ts';
import type { Scope } from '../context.ts';
import { MAX_IDS } from '../permissions/service.ts';
import { searchContactsOf } from '../users/service.ts';
import type { Column } from './csv.ts';
import type { Known, KnownMembership, KnownUser } from './known.ts';
import { addPerson, conflictIssue, findPerson } from './matching.ts';
import type { CheckedLine, ImportRow, Issue } from './validate-row.ts';

/** Rows to insert, in an order that satisfies their foreign keys. */
export interface Plan {
  readonly users: Prisma.UserCreateManyInput[];
  readonly identities: Prisma.IdentityCreateManyInput[];
  readonly passwords: Prisma.PasswordCreateManyInput[];
  readonly memberships: Prisma.MembershipCreateManyInput[];
  readonly membershipRoles: Prisma.MembershipRoleCreateManyInput[];
  readonly membershipPermissions: Prisma.MembershipPermissionCreateManyInput[];
  readonly issues: Issue[];
  /** By user id, a user of several lines once: what became of those that the lines are about. */
  readonly outcomes: Map<string, 'created' | 'updated' | 'unchanged'>;
}

/** Plans `lines` in their order. `known` learns what is planned, so that a later line finds what an earlier one adds. */
export function planChunk(scope: Scope, known: Known, lines: readonly CheckedLine[]): Plan {
  const plan: Plan = {
    users: [],
    identities: [],
    passwords: [],
    memberships: [],
    membershipRoles: [],
    membershipPermissions: [],
    issues: [],
    outcomes: new Map(),
  };
  for (const { row, issues } of lines) plan.issues.push(...(row ? planRow(scope, known, plan, row, issues) : issues));
  return plan;
}

/** Adds a line to `plan`, all of it or, when it is rejected, nothing. Returns what to tell about it. */
function planRow(scope: Scope, known: Known, plan: Plan, row: ImportRow, warnings: readonly Issue[]): readonly Issue[] {
  const { person, conflict } = findPerson(known.users, row.keys);
  if (conflict) return [conflictIssue(row.line, conflict)];
  if (!person && !row.keys.email && !row.keys.phone) return [nobody(row)];
  const user = person ?? planUser(scope, known, plan, row);
  const { targets, issues } = targetsOf(known, row, user, !person);
  const changes = [planPassword(scope, plan, user, row), ...targets.map((target) => planMembership(scope, known, plan, user, target))];
  const outcome = plan.outcomes.get(user.id) ?? 'unchanged';
  plan.outcomes.set(user.id, outcome === 'unchanged' && changes.includes(true) ? 'updated' : outcome);
  return [...warnings, ...issues];
}

function nobody({ line, keys }: ImportRow): Issue {
  const fault = keys.id ? ({ code: 'user_not_found', column: 'id' } as const) : ({ code: 'missing_identity', column: 'username' } as const);
  return { line, severity: 'rejected', ...fault, message: `No user has this ${fault.column}, and a new one needs an email or a phone.` };
}

function planUser({ environmentId }: Scope, known: Known, plan: Plan, row: ImportRow): KnownUser {
  const id = newId('user');
  const { id: providedId = null, email, phone, username } = row.keys;
  plan.users.push({
    environmentId,
    id,
    providedId,
    firstName: row.firstName ?? null,
    lastName: row.lastName ?? null,
    searchContacts: searchContactsOf([email, phone, username].filter((contact) => contact !== undefined)),
  });
  const add = (type: string, value: string | undefined, normalized: string | undefined, isVerified: boolean) => {
    if (!value || !normalized) return;
    plan.identities.push({ environmentId, id: newId('identity'), userId: id, type, value, normalized, isPrimary: true, isVerified });
  };
  add('email', row.email, email, row.isEmailVerified);
  add('phone', phone, phone, row.isPhoneVerified);
  add('username', row.username, username, false);
  const user: KnownUser = { id, keys: row.keys, hasPassword: false, memberships: new Map() };
  addPerson(known.users, user);
  plan.outcomes.set(id, 'created');
  return user;
}

/** Returns whether this changes the user. */
function planPassword({ environmentId }: Scope, plan: Plan, user: KnownUser, { password }: ImportRow): boolean {
  if (!password || user.hasPassword) return false;
  const { method, hash, salt = null, saltPosition = null, saltFormat = null } = password;
  plan.passwords.push({ environmentId, userId: user.id, method, hash, salt, saltPosition, saltFormat });
  user.hasPassword = true;
  return true;
}

/** A membership that a line asks for. */
interface Target {
  readonly organizationId: string;
  /** Ids; undefined where the line does not say, which leaves a new member the default roles. */
  readonly roles: readonly string[] | undefined;
  /** Ids. */
  readonly permissions: readonly string[];
}

function targetsOf(known: Known, row: ImportRow, user: KnownUser, isNewUser: boolean): { targets: Target[]; issues: Issue[] } {
  const { defaultOrganization } = known;
  const warning = (code: string, column: Column, message: string): Issue => ({
    line: row.line,
    severity: 'warning',
    code,
    column,
    message,
  });
  const organizations = resolve(row.organizations, known.organizations);
  const roles = resolve(row.roles, known.roles);
  const permissions = resolve(row.permissions, known.permissions);

  const crowded: Issue[] = [];
  const room = (held: ReadonlySet<string> | undefined, given: readonly string[], column: 'role_key' | 'permission_key') => {
    if (!held || new Set([...held, ...given]).size <= MAX_IDS) return given;
    const what = column === 'role_key' ? 'roles' : 'permissions';
    crowded.push(warning('too_many', column, `A member has at most ${MAX_IDS} ${what}: the user is without those of this line.`));
    return [];
  };
  const targets = organizations.ids.map((organizationId): Target => {
    const member = user.memberships.get(organizationId);
    return {
      organizationId,
      roles: row.roles.length > 0 ? room(member?.roles, roles.ids, 'role_key') : undefined,
      permissions: room(member?.permissions, permissions.ids, 'permission_key'),
    };
  });
  const joinsByDefault = isNewUser && row.organizations.length === 0 && defaultOrganization?.isOpen;
  if (defaultOrganization && (joinsByDefault || organizations.unknown.length > 0)) {
    // Without the line's roles: they were meant for another organization and could be far too much in this one.
    targets.push({ organizationId: defaultOrganization.id, roles: undefined, permissions: [] });
  }

  const instead = defaultOrganization ? 'the default one instead, without the roles and permissions of this line' : 'none instead';
  const issues = [
    ...organizations.unknown.map((name) =>
      warning(
        'organization_not_found',
        'external_organization_id',
        `No organization has the external id “${name}”: the user is in ${instead}.`,
      ),
    ),
    ...roles.unknown.map((name) => warning('role_not_found', 'role_key', `No role has the key “${name}”: the user is without it.`)),
    ...permissions.unknown.map((name) =>
      warning('permission_not_found', 'permission_key', `No permission has the key “${name}”: the user is without it.`),
    ),
    ...crowded,
  ];
  return { targets, issues };
}

function resolve(names: readonly string[], idByName: ReadonlyMap<string, string>): { ids: string[]; unknown: string[] } {
  return { ids: names.flatMap((name) => idByName.get(name) ?? []), unknown: names.filter((name) => !idByName.has(name)) };
}

/** Returns whether this changes the user. */
function planMembership({ environmentId, businessId }: Scope, known: Known, plan: Plan, user: KnownUser, target: Target): boolean {
  const { organizationId } = target;
  const existing = user.memberships.get(organizationId);
  const membership: KnownMembership = existing ?? { id: newId('membership'), roles: new Set(), permissions: new Set() };
  if (!existing) {
    plan.memberships.push({ environmentId, id: membership.id, organizationId, userId: user.id });
    user.memberships.set(organizationId, membership);
  }
  const wanted = target.roles ?? (existing ? [] : (known.ownDefaultRoles.get(organizationId) ?? known.defaultRoles));
  const roles = wanted.filter((roleId) => !membership.roles.has(roleId));
  const permissions = target.permissions.filter((permissionId) => !membership.permissions.has(permissionId));
  for (const roleId of roles) {
    plan.membershipRoles.push({ environmentId, membershipId: membership.id, businessId, roleId });
    membership.roles.add(roleId);
  }
  for (const permissionId of permissions) {
    plan.membershipPermissions.push({ environmentId, membershipId: membership.id, businessId, permissionId });
    membership.permissions.add(permissionId);
  }
  return !existing || roles.length + permissions.length > 0;
}
