/**
 * The two lists of contacts that are no users yet: subscribers, who asked for news, and access requests, who asked to be
 * let in. They are kept alike. An entry stays when its person becomes a user, and points at the user.
 */
import type { PermissionName } from '../../access/permissions.ts';
import type { Subscriber } from '../../db/generated/client/client.ts';
import { InvalidInputError, NotFoundError } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { audit } from '../audit/service.ts';
import { action, type Context, environmentScope, type Scope, scopeOfRow } from '../context.ts';
import { addMembership } from '../organizations/service.ts';
import { optionalText, requireEmail } from '../text.ts';
import { createUserRow, findUserIdByEmail } from '../users/service.ts';

export interface CreateEntryInput {
  readonly environmentId?: string | null | undefined;
  readonly email: string;
  readonly firstName?: string | null | undefined;
  readonly lastName?: string | null | undefined;
}

export interface ConvertEntryInput {
  readonly id: string;
  readonly organizationId: string;
}

/** A list, and what it is called. */
interface List {
  readonly kind: 'subscriber' | 'accessRequest';
  readonly name: string;
  /** Where an input names an entry. */
  readonly idField: string;
  readonly permissions: Readonly<Record<'create' | 'convert' | 'delete', PermissionName>>;
}

export const subscribers = listOf({
  kind: 'subscriber',
  name: 'subscriber',
  idField: 'subscriberId',
  permissions: { create: 'create:subscribers', convert: 'update:subscribers', delete: 'delete:subscribers' },
});

export const accessRequests = listOf({
  kind: 'accessRequest',
  name: 'access request',
  idField: 'accessRequestId',
  permissions: { create: 'create:access_requests', convert: 'update:access_requests', delete: 'delete:access_requests' },
});

function listOf({ kind, name, idField, permissions }: List) {
  // Both tables have the same columns.
  const entries = (ctx: Context) => ctx.db[kind] as Context['db']['subscriber'];
  const noun = name.replace(' ', '_');
  const note = (ctx: Context, scope: Scope, verb: string, id: string, details: Record<string, string> = {}) =>
    audit(ctx, { ...scope, action: `${noun}.${verb}`, target: { type: noun, id }, details });
  const entryScope = (ctx: Context, { id }: { readonly id: string }, permission: PermissionName) =>
    scopeOfRow(ctx, permission, name, idField, (environmentId) =>
      entries(ctx).findFirst({ where: { ...(environmentId && { environmentId }), id }, select: { environmentId: true } }),
    );

  /** Adds a contact.
   * @throws InvalidInputError INVALID_EMAIL, EMAIL_TAKEN, REQUIRED, TOO_LONG or INVALID_TEXT */
  const create = action({
    permission: permissions.create,
    scope: (ctx, input: CreateEntryInput, permission) => environmentScope(ctx, input.environmentId, permission),
    async run(ctx, input, scope): Promise<Subscriber> {
      const { environmentId } = scope;
      const email = requireEmail(input.email, 'email');
      const normalized = email.toLowerCase();
      if (await entries(ctx).findUnique({ where: { environmentId_normalized: { environmentId, normalized } } }))
        throw new InvalidInputError('EMAIL_TAKEN', 'The address is in the list already.', ['email']);
      const entry = await entries(ctx).create({
        data: {
          environmentId,
          id: newId(kind),
          email,
          normalized,
          firstName: optionalText(input.firstName, 'firstName'),
          lastName: optionalText(input.lastName, 'lastName'),
        },
      });
      await note(ctx, scope, 'created', entry.id);
      return entry;
    },
  });

  /**
   * Makes a contact a user, in one organization with its default roles: to write a list takes nobody into an
   * organization, so it needs what making users and members does. The address is not taken for proved.
   * @throws InvalidInputError ALREADY_CONVERTED, or EMAIL_TAKEN when a user has the address
   * @throws NotFoundError for an organization of another environment
   */
  const convert = action({
    permission: permissions.convert,
    besides: () => ['create:users', 'create:organization_users'],
    scope: (ctx, input: ConvertEntryInput, permission) => entryScope(ctx, input, permission),
    async run(ctx, { id, organizationId }, scope): Promise<{ entry: Subscriber; user: { environmentId: string; id: string } }> {
      const { environmentId } = scope;
      if (!(await ctx.db.organization.findUnique({ where: { environmentId_id: { environmentId, id: organizationId } } })))
        throw new NotFoundError('organization', ['organizationId']);
      const key = { environmentId_id: { environmentId, id } };
      const { normalized } = await entries(ctx).findUniqueOrThrow({ where: key });
      // A write that changes nothing, before the question: of two at once one waits, and finds what the other has made.
      const { userId, email, firstName, lastName } = await entries(ctx).update({ where: key, data: { normalized } });
      if (userId) throw new InvalidInputError('ALREADY_CONVERTED', 'This contact was made a user already.', [idField]);
      if (await findUserIdByEmail(ctx, environmentId, email))
        throw new InvalidInputError('EMAIL_TAKEN', 'A user has this email address.', [idField]);
      const user = await createUserRow(ctx, scope, { email, isEmailVerified: false, firstName, lastName });
      await addMembership(ctx, { ...scope, organizationId, userId: user.id });
      const entry = await entries(ctx).update({ where: key, data: { userId: user.id } });
      await note(ctx, scope, 'converted', id, { userId: user.id, organizationId });
      return { entry, user: { environmentId, id: user.id } };
    },
  });

  /** Deletes a contact; the user it was made into stays. */
  const remove = action({
    permission: permissions.delete,
    scope: (ctx, input: { readonly id: string }, permission) => entryScope(ctx, input, permission),
    async run(ctx, { id }, scope): Promise<{ deletedId: string }> {
      await entries(ctx).deleteMany({ where: { environmentId: scope.environmentId, id } });
      await note(ctx, scope, 'deleted', id);
      return { deletedId: id };
    },
  });

  return { create, convert, remove };
}
