/** The pictures that stand for an environment or an organization: at most one of each type, replaced as a whole. */
import type { Logo } from '../../db/generated/client/client.ts';
import { InvalidInputError, NotFoundError } from '../../kernel/errors.ts';
import { kindOf, newId } from '../../kernel/ids.ts';
import { audit } from '../audit/service.ts';
import { action, type Context, environmentScope, type Infrastructure, type Scope } from '../context.ts';
import { organizationScope } from '../organizations/service.ts';
import { contentTypeOf, decode, SVG_TYPE } from './pictures.ts';

export const LOGO_TYPES = ['light', 'dark', 'favicon_svg', 'favicon_fallback', 'background'] as const;
export type LogoType = (typeof LOGO_TYPES)[number];

/** A picture has fewer bytes. */
export const MAX_LOGO_BYTES = 1024 * 1024;

interface OfEnvironment {
  readonly environmentId?: string | null | undefined;
  readonly type: LogoType;
}

interface OfOrganization {
  readonly organizationId: string;
  readonly type: LogoType;
}

interface Content {
  readonly contentBase64: string;
}

/** Gives an environment a picture, in the place of the one of the same type.
 * @throws InvalidInputError REQUIRED, INVALID_BASE64, TOO_LARGE, UNSUPPORTED_TYPE or UNSAFE_SVG */
export const setEnvironmentLogo = action({
  permission: 'update:environments',
  scope: (ctx, input: OfEnvironment & Content, permission) => environmentScope(ctx, input.environmentId, permission),
  run: (ctx, input, scope) => setLogo(ctx, scope, null, input),
});

/** Gives an organization a picture, in the place of the one of the same type.
 * @throws InvalidInputError REQUIRED, INVALID_BASE64, TOO_LARGE, UNSUPPORTED_TYPE or UNSAFE_SVG */
export const setOrganizationLogo = action({
  permission: 'update:organizations',
  scope: (ctx, input: OfOrganization & Content, permission) => organizationScope(ctx, permission, input.organizationId),
  run: (ctx, input, scope) => setLogo(ctx, scope, input.organizationId, input),
});

/** Takes an environment's picture of a type away. Where there is none, nothing changes. */
export const removeEnvironmentLogo = action({
  permission: 'update:environments',
  scope: (ctx, input: OfEnvironment, permission) => environmentScope(ctx, input.environmentId, permission),
  run: (ctx, input, scope) => removeLogo(ctx, scope, null, input.type),
});

/** Takes an organization's picture of a type away. Where there is none, nothing changes. */
export const removeOrganizationLogo = action({
  permission: 'update:organizations',
  scope: (ctx, input: OfOrganization, permission) => organizationScope(ctx, permission, input.organizationId),
  run: (ctx, input, scope) => removeLogo(ctx, scope, input.organizationId, input.type),
});

/** What a change of logos answers with: the environment or the organization that they stand for. */
interface Owner {
  readonly environmentId: string;
  readonly id: string;
}

async function setLogo(
  ctx: Context,
  scope: Scope,
  organizationId: string | null,
  { type, contentBase64 }: Content & { readonly type: LogoType },
): Promise<Owner> {
  const { environmentId } = scope;
  const bytes = decode(contentBase64);
  if (bytes.length >= MAX_LOGO_BYTES) throw new InvalidInputError('TOO_LARGE', 'A picture is smaller than 1 MB.', ['contentBase64']);
  const contentType = contentTypeOf(bytes);
  if (type === 'favicon_svg' && contentType !== SVG_TYPE)
    throw new InvalidInputError('UNSUPPORTED_TYPE', 'This favicon is an SVG; the fallback may be another picture.', ['contentBase64']);
  await lockOwner(ctx, environmentId, organizationId);
  await ctx.db.logo.deleteMany({ where: { environmentId, organizationId, type } });
  const createdAt = ctx.clock.now();
  await ctx.db.logo.create({ data: { environmentId, id: newId('logo'), organizationId, type, contentType, bytes, createdAt } });
  return note(ctx, scope, organizationId, 'logo_set', type);
}

async function removeLogo(ctx: Context, scope: Scope, organizationId: string | null, type: LogoType): Promise<Owner> {
  const { environmentId } = scope;
  const { count } = await ctx.db.logo.deleteMany({ where: { environmentId, organizationId, type } });
  if (count === 0) return { environmentId, id: organizationId ?? environmentId };
  return note(ctx, scope, organizationId, 'logo_removed', type);
}

/** Lets one change of its logos through at a time, and none once it is deleted. */
async function lockOwner(ctx: Context, environmentId: string, organizationId: string | null): Promise<void> {
  const rows = organizationId
    ? await ctx.db.$queryRaw<object[]>`
        SELECT id FROM organizations WHERE environment_id = ${environmentId} AND id = ${organizationId} FOR NO KEY UPDATE`
    : await ctx.db.$queryRaw<object[]>`SELECT id FROM environments WHERE id = ${environmentId} FOR NO KEY UPDATE`;
  if (rows.length === 0)
    throw organizationId ? new NotFoundError('organization', ['organizationId']) : new NotFoundError('environment', ['environmentId']);
}

async function note(ctx: Context, scope: Scope, organizationId: string | null, what: string, logo: LogoType): Promise<Owner> {
  const type = organizationId ? 'organization' : 'environment';
  const id = organizationId ?? scope.environmentId;
  await audit(ctx, { ...scope, action: `${type}.${what}`, target: { type, id }, details: { logo } });
  return { environmentId: scope.environmentId, id };
}

/** One picture as it is served: to everybody who knows its address. */
export async function findLogo({ database }: Infrastructure, environmentId: string, id: string): Promise<Logo | null> {
  if (kindOf(id) !== 'logo') return null;
  return database.prisma.logo.findUnique({ where: { environmentId_id: { environmentId, id } } });
}
