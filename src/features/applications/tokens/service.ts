/** How long an application's tokens live, and which claims they carry beyond the standard ones. */
import type { Application } from '../../../db/generated/client/client.ts';
import { InvalidInputError } from '../../../kernel/errors.ts';
import { audit } from '../../audit/service.ts';
import { action, atVersion, type Context, NEXT_VERSION } from '../../context.ts';
import { type ApplicationType, applicationScope, lockApplication } from '../service.ts';

/** Seconds that a token may live. */
export const LIFETIME_BOUNDS = { min: 60, max: 365 * 24 * 3600 };

/** Seconds that a refresh token may go on leading to its successor. */
export const GRACE_BOUNDS = { min: 0, max: 300 };

type TokenKind = 'access' | 'id' | 'machine';

/** The optional claims that a token of each kind may carry. None of them is a standard claim, and nothing else can be named. */
export const OPTIONAL_CLAIMS: Readonly<Record<TokenKind, readonly string[]>> = {
  access: ['roles', 'email', 'org_name', 'external_org_id', 'api_scopes'],
  id: ['organizations'],
  machine: ['permissions'],
};

/** Which kinds of token an application of each type is given. */
const KINDS_OF_TYPE: Readonly<Record<ApplicationType, readonly TokenKind[]>> = {
  reg: ['access', 'id', 'machine'],
  spa: ['access', 'id'],
  device: ['access', 'id'],
  m2m: ['machine'],
};

/** Whose public properties a token of each kind may carry. */
const PROPERTIES_OF_KIND: Readonly<Record<TokenKind, readonly string[]>> = {
  access: ['user', 'organization', 'application'],
  id: ['user', 'organization'],
  machine: ['application'],
};

const MAX_CLAIMS = 50;

export interface UpdateApplicationTokensInput {
  readonly applicationId: string;
  readonly accessTokenLifetime?: number | null | undefined;
  readonly idTokenLifetime?: number | null | undefined;
  readonly refreshTokenLifetime?: number | null | undefined;
  readonly refreshTokenGracePeriod?: number | null | undefined;
  /** Everything from now on: names of claims, and `property:<key>`. */
  readonly accessTokenClaims?: readonly string[] | null | undefined;
  readonly idTokenClaims?: readonly string[] | null | undefined;
  readonly machineTokenClaims?: readonly string[] | null | undefined;
  readonly isHasuraMappingEnabled?: boolean | null | undefined;
  readonly expectedVersion?: number | null | undefined;
}

/** Changes the tokens that an application is given from now on.
 * @throws InvalidInputError INVALID_LIFETIME, REFRESH_TOO_SHORT, INVALID_GRACE_PERIOD, UNKNOWN_CLAIM, NO_SUCH_TOKEN, TOO_MANY or CONFLICT */
export const updateApplicationTokens = action({
  permission: 'update:application_tokens',
  scope: applicationScope,
  async run(ctx, input: UpdateApplicationTokensInput, scope): Promise<Application> {
    const { environmentId, businessId } = scope;
    const { applicationId } = input;
    const known = await lockApplication(ctx, scope, applicationId);
    const claimsOf = (kind: TokenKind) => checkClaims(ctx, businessId, known.type as ApplicationType, kind, input);
    const application = await ctx.db.application.update({
      where: { environmentId_id: { environmentId, id: applicationId }, ...atVersion(input) },
      data: {
        ...checkLifetimes(known, input),
        refreshTokenGracePeriod: checkGracePeriod(input),
        accessTokenClaims: await claimsOf('access'),
        idTokenClaims: await claimsOf('id'),
        machineTokenClaims: await claimsOf('machine'),
        isHasuraMappingEnabled: input.isHasuraMappingEnabled ?? undefined,
        ...NEXT_VERSION,
      },
    });
    await audit(ctx, {
      businessId,
      environmentId,
      action: 'application.tokens_updated',
      target: { type: 'application', id: applicationId },
      details: { fields: Object.keys(input).sort() },
    });
    return application;
  },
});

const LIFETIMES = ['accessTokenLifetime', 'idTokenLifetime', 'refreshTokenLifetime'] as const;

function checkLifetimes(known: Application, input: UpdateApplicationTokensInput): Partial<Pick<Application, (typeof LIFETIMES)[number]>> {
  const { min, max } = LIFETIME_BOUNDS;
  const wanted: Partial<Record<(typeof LIFETIMES)[number], number>> = {};
  for (const field of LIFETIMES) {
    const seconds = input[field];
    if (seconds == null) continue;
    if (seconds < min || seconds > max)
      throw new InvalidInputError('INVALID_LIFETIME', `A token lives from ${min} to ${max} seconds.`, [field]);
    wanted[field] = seconds;
  }
  const { accessTokenLifetime, refreshTokenLifetime } = { ...known, ...wanted };
  if (refreshTokenLifetime <= accessTokenLifetime)
    throw new InvalidInputError('REFRESH_TOO_SHORT', 'A refresh token must outlive the access tokens that it is for.', [
      wanted.refreshTokenLifetime === undefined ? 'accessTokenLifetime' : 'refreshTokenLifetime',
    ]);
  return wanted;
}

function checkGracePeriod({ refreshTokenGracePeriod: seconds }: UpdateApplicationTokensInput): number | undefined {
  const { min, max } = GRACE_BOUNDS;
  if (seconds != null && (seconds < min || seconds > max))
    throw new InvalidInputError('INVALID_GRACE_PERIOD', `This is a number of seconds from ${min} to ${max}.`, ['refreshTokenGracePeriod']);
  return seconds ?? undefined;
}

async function checkClaims(
  ctx: Context,
  businessId: string,
  type: ApplicationType,
  kind: TokenKind,
  input: UpdateApplicationTokensInput,
): Promise<string[] | undefined> {
  const field = `${kind}TokenClaims` as const;
  const given = input[field];
  if (given == null) return undefined;
  const claims = [...new Set(given)];
  if (claims.length > MAX_CLAIMS) throw new InvalidInputError('TOO_MANY', `These are more than ${MAX_CLAIMS}.`, [field]);
  if (claims.length > 0 && !KINDS_OF_TYPE[type].includes(kind))
    throw new InvalidInputError('NO_SUCH_TOKEN', 'An application of this type is not given tokens of this kind.', [field]);
  const keys = claims.filter((claim) => claim.startsWith('property:')).map((claim) => claim.slice('property:'.length));
  const properties = await ctx.db.property.findMany({
    where: { businessId, key: { in: keys }, context: { in: [...PROPERTIES_OF_KIND[kind]] }, isPrivate: false },
    select: { key: true },
  });
  const possible = [...OPTIONAL_CLAIMS[kind], ...properties.map(({ key }) => `property:${key}`)];
  for (const [index, claim] of given.entries())
    if (!possible.includes(claim))
      throw new InvalidInputError(
        'UNKNOWN_CLAIM',
        `The claims to choose from are ${OPTIONAL_CLAIMS[kind].join(', ')}, and public properties.`,
        [field, String(index)],
      );
  return claims;
}
