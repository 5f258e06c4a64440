import { planHas } from '../../../src/features/plans.ts';
import { updateTeamSsoPolicy } from '../../../src/features/team-policies/service.ts';
import { BELL, type FeatureCases, LONG, type Mistake, type Stage } from './cases.ts';

const own = ({ world }: Stage) => ({ businessId: world.businessId });
const domains = ['company.test'];
const saml = { entityId: 'company', metadataUrl: 'https://idp.test/metadata' };
const entraId = { clientId: 'client', tenantDomain: 'company.test', clientSecret: 'a secret of theirs' };

const sso = (code: string, path: readonly string[], input: object): Mistake => ({
  code,
  path,
  input: (stage) => ({ ...own(stage), domains, ...input }),
});

export const teamPolicies: FeatureCases = {
  fillBusiness: async ({ ctx, businessId, name }) => {
    const { plan } = await ctx.db.business.findUniqueOrThrow({ where: { id: businessId } });
    const settings = { ...entraId, clientId: `${name}-client` };
    if (planHas(plan, 'teamSso'))
      await updateTeamSsoPolicy(ctx, { businessId, protocol: 'entra_id', domains: [`${name}.test`], entraId: settings });
    return {};
  },
  shortLists: ['TeamPolicy.mfaFactors', 'TeamPolicy.mfaRoles', 'TeamPolicy.ssoDomains'],
  secretive: ['TeamEntraIdSettings.hasClientSecret'],
  mutations: {
    updateTeamMfaPolicy: {
      permission: 'update:team_policies',
      action: 'team.mfa_policy_updated',
      input: (stage) => ({ ...own(stage), policy: 'ROLES', roles: ['OWNER', 'ADMIN'], factors: ['EMAIL'] }),
      foreign: [{ type: 'Business', input: (businessId) => ({ businessId, policy: 'OFF' }) }],
      onlyForPeople: true,
      mistakes: [
        {
          code: 'PLAN_LIMIT',
          path: ['policy'],
          input: ({ small }) => ({ businessId: small.businessId, policy: 'EVERYONE', factors: ['EMAIL'] }),
        },
        { code: 'NO_FACTORS', path: ['factors'], input: (stage) => ({ ...own(stage), policy: 'EVERYONE' }) },
        { code: 'NO_ROLES', path: ['roles'], input: (stage) => ({ ...own(stage), policy: 'ROLES', factors: ['SMS'], roles: [] }) },
        { code: 'CONFLICT', path: ['expectedVersion'], input: (stage) => ({ ...own(stage), policy: 'OFF', expectedVersion: 99 }) },
      ],
    },
    updateTeamSsoPolicy: {
      permission: 'update:team_policies',
      action: 'team.sso_policy_updated',
      input: (stage) => ({ ...own(stage), protocol: 'SAML', domains, saml }),
      foreign: [{ type: 'Business', input: (businessId) => ({ businessId, protocol: 'SAML', domains, saml }) }],
      onlyForPeople: true,
      mistakes: [
        {
          code: 'PLAN_LIMIT',
          path: ['protocol'],
          input: ({ small }) => ({ businessId: small.businessId, protocol: 'SAML', domains, saml }),
        },
        sso('REQUIRED', ['saml'], { protocol: 'SAML', entraId }),
        sso('REQUIRED', ['entraId'], { protocol: 'ENTRA_ID', saml }),
        sso('REQUIRED', ['saml', 'entityId'], { protocol: 'SAML', saml: { ...saml, entityId: ' ' } }),
        sso('TOO_LONG', ['saml', 'emailAttribute'], { protocol: 'SAML', saml: { ...saml, emailAttribute: LONG } }),
        sso('INVALID_TEXT', ['entraId', 'clientId'], { protocol: 'ENTRA_ID', entraId: { ...entraId, clientId: BELL } }),
        sso('INVALID_URL', ['saml', 'metadataUrl'], { protocol: 'SAML', saml: { ...saml, metadataUrl: 'http://idp.test' } }),
        sso('INVALID_DOMAIN', ['domains', '0'], { protocol: 'SAML', saml, domains: ['me@company.test'] }),
        sso('TOO_MANY_DOMAINS', ['domains'], { protocol: 'SAML', saml, domains: Array.from({ length: 21 }, (_, at) => `d${at}.test`) }),
        sso('NO_DOMAINS', ['domains'], { protocol: 'SAML', saml, domains: [] }),
        sso('CONFLICT', ['expectedVersion'], { protocol: 'OFF', expectedVersion: 99 }),
      ],
    },
  },
};
