/**
 * What can be copied from one environment to another, part by part: what each takes, and how it is done. What the
 * target has already stays as it is; only policies and the appearance are replaced. No user and no secret is ever copied.
 */
import type { PermissionName } from '../../access/permissions.ts';
import type { Environment } from '../../db/generated/client/client.ts';
import { newId, randomToken } from '../../kernel/ids.ts';
import { sha256 } from '../../security/secrets.ts';
import type { Context } from '../context.ts';
import { copyPageTexts } from '../page-texts/service.ts';
import { assertRoomOnPlan } from '../plans.ts';

/** How much of a part was new to the target. */
export interface Copied {
  readonly copied: number;
  /** What the target had already, or what cannot be in two environments. */
  readonly skipped: number;
}

/** Two environments of one business, and what is known of the copy so far. */
export interface Pair {
  readonly businessId: string;
  readonly source: Environment;
  readonly target: Environment;
  /** Ids of the source's applications, with their counterparts in the target. */
  readonly applications: Map<string, string>;
}

interface Part {
  readonly reads: readonly PermissionName[];
  readonly writes: readonly PermissionName[];
  readonly copy: (ctx: Context, pair: Pair) => Promise<Copied>;
}

/** In the order in which they are copied: applications know the APIs that are there, policies the applications. */
export const PARTS = {
  variables: {
    reads: ['read:environment_variables'],
    writes: ['create:environment_variables'],
    copy: copyVariables,
  },
  flags: {
    reads: ['read:environment_feature_flags'],
    writes: ['update:environment_feature_flags'],
    copy: copyFlags,
  },
  apis: {
    reads: ['read:apis', 'read:api_scopes'],
    writes: ['create:apis', 'create:api_scopes'],
    copy: copyApis,
  },
  applications: {
    reads: [
      'read:applications',
      'read:applications_redirect_uris',
      'read:application_logout_uris',
      'read:application_tokens',
      'read:application_properties',
    ],
    writes: [
      'create:applications',
      'create:applications_redirect_uris',
      'create:application_logout_uris',
      'update:application_tokens',
      'update:application_properties',
      'create:api_application_scopes',
    ],
    copy: copyApplications,
  },
  webhooks: {
    reads: ['read:webhooks'],
    writes: ['create:webhooks'],
    copy: copyWebhooks,
  },
  policies: {
    reads: ['read:policies', 'read:mfa', 'read:passkey'],
    writes: ['update:policies', 'update:mfa', 'update:passkey'],
    copy: copyPolicies,
  },
  appearance: {
    reads: ['read:branding'],
    writes: ['update:branding'],
    copy: copyAppearance,
  },
} as const satisfies Record<string, Part>;

export type PartName = keyof typeof PARTS;
export const PART_NAMES = Object.keys(PARTS) as PartName[];

/** Sensitive ones are not copied: their values leave the place they were written in for nowhere. */
async function copyVariables(ctx: Context, { source, target }: Pair): Promise<Copied> {
  const all = await ctx.db.environmentVariable.findMany({ where: { environmentId: source.id }, orderBy: { id: 'asc' } });
  const plain = all.filter(({ isSensitive }) => !isSensitive);
  const { count } = await ctx.db.environmentVariable.createMany({
    data: plain.map(({ key, value }) => ({ environmentId: target.id, id: newId('environmentVariable'), key, value, isSensitive: false })),
    skipDuplicates: true,
  });
  return { copied: count, skipped: all.length - count };
}

async function copyFlags(ctx: Context, { source, target }: Pair): Promise<Copied> {
  const values = await ctx.db.environmentFlagValue.findMany({ where: { environmentId: source.id } });
  const { count } = await ctx.db.environmentFlagValue.createMany({
    data: values.map(({ businessId, flagId, value }) => ({ environmentId: target.id, businessId, flagId, value: value as object })),
    skipDuplicates: true,
  });
  return { copied: count, skipped: values.length - count };
}

async function copyApis(ctx: Context, { source, target }: Pair): Promise<Copied> {
  const apis = await ctx.db.api.findMany({
    where: { environmentId: source.id, isManagement: false },
    include: { scopes: { orderBy: { id: 'asc' } } },
    orderBy: { id: 'asc' },
  });
  const known = new Set((await ctx.db.api.findMany({ where: { environmentId: target.id } })).map(({ audience }) => audience));
  const fresh = apis.filter(({ audience }) => !known.has(audience)).map((api) => ({ ...api, newId: newId('api') }));
  const environmentId = target.id;
  await ctx.db.api.createMany({ data: fresh.map(({ newId: id, name, audience }) => ({ environmentId, id, name, audience })) });
  await ctx.db.apiScope.createMany({
    data: fresh.flatMap(({ newId: apiId, scopes }) =>
      scopes.map(({ name, description }) => ({ environmentId, id: newId('apiScope'), apiId, name, description })),
    ),
  });
  return { copied: fresh.length, skipped: apis.length - fresh.length };
}

/**
 * An application comes with new ids. Its secret is one that nobody knows, until it is rotated; it is authorised for the
 * APIs that are there under the same audience, and never for the management API. One that acts for an organization
 * stays where the organization is.
 */
async function copyApplications(ctx: Context, { businessId, source, target, applications }: Pair): Promise<Copied> {
  const all = await ctx.db.application.findMany({
    where: { environmentId: source.id, isDynamic: false },
    include: { apis: { include: { api: true } }, properties: true },
    orderBy: { id: 'asc' },
  });
  const there = new Map(
    (await ctx.db.application.findMany({ where: { environmentId: target.id }, orderBy: { id: 'desc' } })).map((row) => [
      nameOf(row),
      row.id,
    ]),
  );
  const apis = await ctx.db.api.findMany({ where: { environmentId: target.id, isManagement: false }, include: { scopes: true } });
  let copied = 0;
  for (const application of all) {
    const counterpart = there.get(nameOf(application));
    if (counterpart) applications.set(application.id, counterpart);
    if (counterpart || application.organizationId) continue;
    const {
      apis: authorised,
      properties,
      createdAt,
      updatedAt,
      secretHash,
      previousSecretHash,
      secretRotatedAt,
      jwks,
      jwksUri,
      ...settings
    } = application;
    const environmentId = target.id;
    const id = newId('application');
    const hash = secretHash && sha256(randomToken());
    await ctx.db.application.create({ data: { ...settings, environmentId, id, version: 1, secretHash: hash } });
    await ctx.db.applicationApi.createMany({
      data: authorised.flatMap(({ api, scopes }) => {
        const here = api.isManagement ? undefined : apis.find(({ audience }) => audience === api.audience);
        if (!here) return [];
        const names = new Set(here.scopes.map(({ name }) => name));
        return [{ environmentId, applicationId: id, apiId: here.id, scopes: scopes.filter((scope) => names.has(scope)) }];
      }),
    });
    await ctx.db.applicationPropertyValue.createMany({
      data: properties.map(({ propertyId, value }) => ({ environmentId, applicationId: id, businessId, propertyId, value })),
    });
    applications.set(application.id, id);
    copied++;
  }
  return { copied, skipped: all.length - copied };
}

/** What people tell applications apart by. */
function nameOf({ type, name }: { type: string; name: string }): string {
  return `${type} ${name}`;
}

/** Switched off: two environments that tell the same address of everything are wanted by nobody unseen. */
async function copyWebhooks(ctx: Context, { businessId, source, target }: Pair): Promise<Copied> {
  const all = await ctx.db.webhook.findMany({ where: { environmentId: source.id }, orderBy: { id: 'asc' } });
  const there = await ctx.db.webhook.findMany({ where: { environmentId: target.id } });
  let copied = 0;
  for (const { name, description, url, eventTypes } of all) {
    if (there.some((webhook) => webhook.name === name && webhook.url === url)) continue;
    await assertRoomOnPlan(ctx, businessId, 'webhooks', ['parts']);
    const id = newId('webhook');
    await ctx.db.webhook.create({ data: { environmentId: target.id, id, name, description, url, eventTypes, isEnabled: false } });
    copied++;
  }
  return { copied, skipped: all.length - copied };
}

/** Invitations come along where the application that they lead to has a counterpart. */
async function copyPolicies(ctx: Context, { source, target, applications }: Pair): Promise<Copied> {
  const { allowSelfSignUp, allowedDomains, allowOrganizationCreation, useMostRecentOrganization, syncProfile } = source;
  const { codeLifetime, hasEnumerationProtection, maxFailures, lockSeconds, allowDynamicRegistration, allowMetadataDocuments } = source;
  const { passkeyPolicy, isPasskeyMultiFactor, mfaPolicy, mfaFactors, hasRecoveryCodes, allowInvitations, refuseDisposableMail } = source;
  const { requireDpopNonce, allowAccessRequests, allowSubscriptions } = source;
  const invitationApplicationId = applications.get(source.invitationApplicationId ?? '');
  await ctx.db.environment.update({
    where: { id: target.id },
    data: {
      ...{ allowSelfSignUp, allowedDomains, allowOrganizationCreation, useMostRecentOrganization, syncProfile },
      ...{ codeLifetime, hasEnumerationProtection, maxFailures, lockSeconds, allowDynamicRegistration, allowMetadataDocuments },
      ...{ passkeyPolicy, isPasskeyMultiFactor, mfaPolicy, mfaFactors, hasRecoveryCodes, refuseDisposableMail, requireDpopNonce },
      ...{ allowAccessRequests, allowSubscriptions },
      // Keys of Turnstile are for one set of hosts, and its secret is sealed for its environment.
      ...(source.botCheck !== 'turnstile' && { botCheck: source.botCheck }),
      ...(invitationApplicationId && { allowInvitations, invitationApplicationId }),
      version: { increment: 1 },
    },
  });
  return { copied: 1, skipped: 0 };
}

async function copyAppearance(ctx: Context, { source, target }: Pair): Promise<Copied> {
  const { languages, defaultLanguage, brand } = source;
  await ctx.db.environment.update({
    where: { id: target.id },
    data: { languages, defaultLanguage, brand: brand as object, version: { increment: 1 } },
  });
  await copyPageTexts(ctx, source.id, target.id);
  return { copied: 1, skipped: 0 };
}
