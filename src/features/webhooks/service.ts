/** Webhooks: addresses of a business's own that are told what happens in an environment. */
import { assertCan } from '../../access/authorize.ts';
import type { PermissionName } from '../../access/permissions.ts';
import type { Webhook } from '../../db/generated/client/client.ts';
import { InvalidInputError } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { problemOfStrangerUrl } from '../../security/strangers.ts';
import { audit } from '../audit/service.ts';
import { action, atVersion, type Context, environmentScope, NEXT_VERSION, type Scope, scopeOfRow } from '../context.ts';
import { type EventType, permissionsToRead } from '../events/service.ts';
import { assertRoomOnPlan } from '../plans.ts';
import { changedOptionalText, changedText, optionalText, requireText } from '../text.ts';

/** Webhooks of one environment. */
export const MAX_WEBHOOKS = 100;

export interface CreateWebhookInput {
  readonly environmentId?: string | null | undefined;
  readonly name: string;
  readonly description?: string | null | undefined;
  readonly url: string;
  readonly eventTypes: readonly EventType[];
}

/** Makes a webhook, which is told from now on. Whoever says where takes what reading of it takes: {@link permissionsToRead}.
 * @throws InvalidInputError INVALID_URL, NO_EVENT_TYPES, PLAN_LIMIT, TOO_MANY, REQUIRED, TOO_LONG or INVALID_TEXT */
export const createWebhook = action({
  permission: 'create:webhooks',
  besides: ({ eventTypes }: CreateWebhookInput) => permissionsToRead(eventTypes),
  scope: (ctx, input: CreateWebhookInput, permission) => environmentScope(ctx, input.environmentId, permission),
  async run(ctx, input, scope): Promise<Webhook> {
    const { environmentId, businessId } = scope;
    const data = {
      name: requireText(input.name, 'name'),
      description: optionalText(input.description, 'description', 1000),
      url: checkUrl(ctx, input.url),
      eventTypes: checkEventTypes(input.eventTypes),
    };
    await assertRoomOnPlan(ctx, businessId, 'webhooks');
    if ((await ctx.db.webhook.count({ where: { environmentId } })) >= MAX_WEBHOOKS)
      throw new InvalidInputError('TOO_MANY', `An environment has at most ${MAX_WEBHOOKS} webhooks.`);
    const webhook = await ctx.db.webhook.create({ data: { environmentId, id: newId('webhook'), ...data } });
    await audit(ctx, { ...scope, action: 'webhook.created', target: target(webhook.id), details: { eventTypes: data.eventTypes } });
    return webhook;
  },
});

export interface UpdateWebhookInput {
  readonly webhookId: string;
  readonly name?: string | null | undefined;
  readonly description?: string | null | undefined;
  readonly url?: string | null | undefined;
  /** All of them, from now on. */
  readonly eventTypes?: readonly EventType[] | null | undefined;
  readonly isEnabled?: boolean | null | undefined;
  readonly expectedVersion?: number | null | undefined;
}

/** Changes a webhook. Enabled again, it is told of what happens from then on, and of what is still to be tried again. To
 * change where it is, what it is told of, or to enable it takes what {@link createWebhook} would.
 * @throws InvalidInputError INVALID_URL, NO_EVENT_TYPES, REQUIRED, TOO_LONG, INVALID_TEXT or CONFLICT */
export const updateWebhook = action({
  permission: 'update:webhooks',
  besides: ({ eventTypes }: UpdateWebhookInput) => permissionsToRead(eventTypes ?? []),
  scope: (ctx, input: UpdateWebhookInput, permission) => webhookScope(ctx, permission, input.webhookId),
  async run(ctx, input, scope): Promise<Webhook> {
    const { webhookId, expectedVersion: _, ...fields } = input;
    const eventTypes = input.eventTypes ? checkEventTypes(input.eventTypes) : undefined;
    const webhook = await ctx.db.webhook.update({
      where: { environmentId_id: { environmentId: scope.environmentId, id: webhookId }, ...atVersion(input) },
      data: {
        name: changedText(input.name, 'name'),
        description: changedOptionalText(input.description, 'description', 1000),
        url: input.url === undefined ? undefined : checkUrl(ctx, input.url ?? ''),
        eventTypes,
        isEnabled: input.isEnabled ?? undefined,
        ...(input.isEnabled && { failingSince: null }),
        ...NEXT_VERSION,
      },
    });
    if (input.url !== undefined || eventTypes || input.isEnabled)
      for (const needed of permissionsToRead(webhook.eventTypes as EventType[])) assertCan(ctx.actor, needed, scope);
    await audit(ctx, {
      ...scope,
      action: 'webhook.updated',
      target: target(webhookId),
      details: { fields: Object.keys(fields).sort(), ...(eventTypes && { eventTypes }) },
    });
    return webhook;
  },
});

/** Deletes a webhook with its deliveries, those too that were still to be made. */
export const deleteWebhook = action({
  permission: 'delete:webhooks',
  scope: (ctx, input: { readonly webhookId: string }, permission) => webhookScope(ctx, permission, input.webhookId),
  async run(ctx, { webhookId }, scope): Promise<{ deletedId: string }> {
    await ctx.db.webhook.delete({ where: { environmentId_id: { environmentId: scope.environmentId, id: webhookId } } });
    await audit(ctx, { ...scope, action: 'webhook.deleted', target: target(webhookId) });
    return { deletedId: webhookId };
  },
});

function webhookScope(ctx: Context, permission: PermissionName, webhookId: string): Promise<Scope> {
  return scopeOfRow(ctx, permission, 'webhook', 'webhookId', (environmentId) =>
    ctx.db.webhook.findFirst({ where: { ...(environmentId && { environmentId }), id: webhookId }, select: { environmentId: true } }),
  );
}

function target(id: string) {
  return { type: 'webhook', id };
}

/** Signed, but not sealed: what a webhook is told must not cross a network in the clear. */
function checkUrl({ config }: Context, text: string): string {
  const problem = problemOfStrangerUrl(text, { allowLoopback: !config.production });
  if (problem) throw new InvalidInputError('INVALID_URL', problem, ['url']);
  return new URL(text).href;
}

function checkEventTypes(types: readonly EventType[]): EventType[] {
  if (types.length === 0) throw new InvalidInputError('NO_EVENT_TYPES', 'Choose at least one event type.', ['eventTypes']);
  return [...new Set(types)].sort();
}
