/**
 * How a business's team must sign in: who needs a second factor, and where the company's own sign-in is. A business
 * without a row has the defaults, at version 1.
 */
import { TEAM_ROLES, type TeamRole } from '../../access/team-roles.ts';
import type { Prisma } from '../../db/client.ts';
import { InvalidInputError } from '../../kernel/errors.ts';
import { audit } from '../audit/service.ts';
import { action, atVersion, businessScope, type Context, lockBusiness, NEXT_VERSION } from '../context.ts';
import { assertPlanHas } from '../plans.ts';
import type { MfaFactorKind } from '../sign-in-policies/service.ts';
import { mailDomains, optionalText, requireText, requireUrl } from '../text.ts';

export const TEAM_MFA_POLICIES = ['off', 'everyone', 'roles'] as const;
export type TeamMfaPolicy = (typeof TEAM_MFA_POLICIES)[number];

export const SSO_PROTOCOLS = ['off', 'saml', 'entra_id'] as const;
export type SsoProtocol = (typeof SSO_PROTOCOLS)[number];

export const MAX_SSO_DOMAINS = 20;

/** What is kept of a SAML identity provider; the keys of attributes that it calls people's details by. */
export interface SamlSettings {
  readonly entityId: string;
  readonly metadataUrl: string;
  readonly emailAttribute: string | null;
  readonly firstNameAttribute: string | null;
  readonly lastNameAttribute: string | null;
}

/** What is kept of a Microsoft Entra ID application, but for its secret. */
export interface EntraSettings {
  readonly clientId: string;
  readonly tenantDomain: string;
}

const PURPOSE = 'team single sign-on';

interface PolicyChange {
  readonly businessId: string;
  readonly expectedVersion?: number | null | undefined;
}

export interface UpdateTeamMfaPolicyInput extends PolicyChange {
  readonly policy: TeamMfaPolicy;
  /** Of whom it is asked, where it is asked of some. */
  readonly roles?: readonly TeamRole[] | null | undefined;
  readonly factors?: readonly MfaFactorKind[] | null | undefined;
}

/** Replaces who on the team needs a second factor.
 * @throws InvalidInputError PLAN_LIMIT, NO_FACTORS, NO_ROLES or CONFLICT */
export const updateTeamMfaPolicy = action({
  permission: 'update:team_policies',
  scope: (ctx, input: UpdateTeamMfaPolicyInput, permission) => businessScope(ctx, input.businessId, permission),
  async run(ctx, input, { businessId }) {
    const { policy, factors = [], roles = [] } = input;
    if (policy !== 'off') {
      await assertPlanHas(ctx, businessId, 'teamMfa', ['policy']);
      if (!factors?.length) throw new InvalidInputError('NO_FACTORS', 'People need a factor to choose: name one at least.', ['factors']);
      if (policy === 'roles' && !roles?.length) throw new InvalidInputError('NO_ROLES', 'Name the roles that need it.', ['roles']);
    }
    return change(ctx, input, 'team.mfa_policy_updated', {
      mfaPolicy: policy,
      mfaFactors: [...new Set(factors)],
      mfaRoles: policy === 'roles' ? TEAM_ROLES.filter((role) => roles?.includes(role)) : [],
    });
  },
});

export interface UpdateTeamSsoPolicyInput extends PolicyChange {
  readonly protocol: SsoProtocol;
  readonly domains?: readonly string[] | null | undefined;
  readonly saml?:
    | {
        readonly entityId: string;
        readonly metadataUrl: string;
        readonly emailAttribute?: string | null | undefined;
        readonly firstNameAttribute?: string | null | undefined;
        readonly lastNameAttribute?: string | null | undefined;
      }
    | null
    | undefined;
  readonly entraId?:
    | {
        readonly clientId: string;
        readonly tenantDomain: string;
        /** Absent: the one that is kept already. */
        readonly clientSecret?: string | null | undefined;
      }
    | null
    | undefined;
}

/** Replaces where the team signs in; settings of another protocol, and a secret that goes with them, are forgotten.
 * @throws InvalidInputError PLAN_LIMIT, REQUIRED, TOO_LONG, INVALID_TEXT, INVALID_URL, INVALID_DOMAIN, TOO_MANY_DOMAINS, NO_DOMAINS or CONFLICT */
export const updateTeamSsoPolicy = action({
  permission: 'update:team_policies',
  scope: (ctx, input: UpdateTeamSsoPolicyInput, permission) => businessScope(ctx, input.businessId, permission),
  async run(ctx, input, { businessId }) {
    const { protocol } = input;
    if (protocol === 'off')
      return change(ctx, input, 'team.sso_policy_updated', { ssoProtocol: 'off', ssoSettings: {}, ssoSecret: null, ssoDomains: [] });
    await assertPlanHas(ctx, businessId, 'teamSso', ['protocol']);
    const ssoDomains = mailDomains(input.domains ?? [], 'domains', MAX_SSO_DOMAINS);
    if (ssoDomains.length === 0) throw new InvalidInputError('NO_DOMAINS', 'Name the domains whose addresses sign in there.', ['domains']);
    const settings = protocol === 'saml' ? samlSettings(input) : await entraSettings(ctx, businessId, input);
    return change(ctx, input, 'team.sso_policy_updated', { ssoProtocol: protocol, ssoDomains, ...settings });
  },
});

function samlSettings({ saml }: UpdateTeamSsoPolicyInput) {
  if (!saml) throw new InvalidInputError('REQUIRED', 'The settings of SAML are missing.', ['saml']);
  const ssoSettings: SamlSettings = {
    entityId: inside('saml', () => requireText(saml.entityId, 'entityId', 500)),
    metadataUrl: inside('saml', () => requireUrl(saml.metadataUrl, 'metadataUrl')),
    emailAttribute: inside('saml', () => optionalText(saml.emailAttribute, 'emailAttribute')),
    firstNameAttribute: inside('saml', () => optionalText(saml.firstNameAttribute, 'firstNameAttribute')),
    lastNameAttribute: inside('saml', () => optionalText(saml.lastNameAttribute, 'lastNameAttribute')),
  };
  return { ssoSettings: { ...ssoSettings }, ssoSecret: null };
}

async function entraSettings(ctx: Context, businessId: string, { entraId }: UpdateTeamSsoPolicyInput) {
  if (!entraId) throw new InvalidInputError('REQUIRED', 'The settings of Entra ID are missing.', ['entraId']);
  const ssoSettings: EntraSettings = {
    clientId: inside('entraId', () => requireText(entraId.clientId, 'clientId')),
    tenantDomain: inside('entraId', () => requireText(entraId.tenantDomain, 'tenantDomain')),
  };
  const kept = await ctx.db.teamPolicy.findUnique({ where: { businessId }, select: { ssoSecret: true } });
  const { clientSecret } = entraId;
  if (!clientSecret && !kept?.ssoSecret)
    throw new InvalidInputError('REQUIRED', 'The secret is needed the first time.', ['entraId', 'clientSecret']);
  return {
    ssoSettings: { ...ssoSettings },
    ssoSecret: clientSecret
      ? ctx.vault.seal(
          PURPOSE,
          inside('entraId', () => requireText(clientSecret, 'clientSecret', 500)),
        )
      : kept!.ssoSecret,
  };
}

/** Places a mistake of a nested input within the whole. */
function inside<T>(field: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    throw new InvalidInputError(error.code, error.message, [field, ...error.inputPath]);
  }
}

async function change(
  ctx: Context,
  input: PolicyChange,
  auditAction: string,
  data: Prisma.TeamPolicyUncheckedUpdateInput,
): Promise<{ id: string }> {
  const { businessId } = input;
  await lockBusiness(ctx, businessId);
  await ctx.db.teamPolicy.createMany({ data: [{ businessId }], skipDuplicates: true });
  await ctx.db.teamPolicy.update({ where: { businessId, ...atVersion(input) }, data: { ...data, ...NEXT_VERSION } });
  await audit(ctx, {
    businessId,
    action: auditAction,
    target: { type: 'business', id: businessId },
    details: { fields: Object.keys(input).sort() },
  });
  return { id: businessId };
}
