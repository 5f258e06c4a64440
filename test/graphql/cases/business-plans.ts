import { updateBusiness } from '../../../src/features/businesses/service.ts';
import { createEnvironment } from '../../../src/features/environments/service.ts';
import type { Plan } from '../../../src/features/plans.ts';
import { newId } from '../../../src/kernel/ids.ts';
import { makeMember } from '../world.ts';
import { businessOfSameTeam } from './businesses.ts';
import type { EnvironmentPlace, FeatureCases, Mistake, MistakeStage } from './cases.ts';

type Owned = MistakeStage & Pick<EnvironmentPlace, 'businessId' | 'environmentId'>;

/** A move down that one use of something stands in the way of. */
function inUse(code: string, plan: Plan, use: (stage: Owned) => Promise<unknown>): Mistake {
  return {
    code: `${code}_IN_USE`,
    path: ['plan'],
    async input(stage) {
      const { ctx } = stage;
      const { businessId } = await businessOfSameTeam(stage, 'enterprise');
      const { id: environmentId } = await ctx.db.environment.findFirstOrThrow({ where: { businessId } });
      await use({ ...stage, businessId, environmentId });
      return { businessId, plan: plan.toUpperCase() };
    },
  };
}

const newApplication = ({ environmentId }: Owned) => ({
  ...{ environmentId, id: newId('application'), name: 'In use', type: 'm2m' },
  ...{ callbackUrls: [], logoutUrls: [] },
});

const newApi = async ({ ctx, environmentId }: Owned) =>
  ctx.db.api.create({ data: { environmentId, id: newId('api'), name: 'In use', audience: 'https://in-use.test' } });

export const businessPlans: FeatureCases = {
  lists: {
    'a business with what its plan allows': `business(id: $businessId) {
      planLimits { webhooks { allowed used } features { feature used } } teamMembers(first: $first) { nodes { roles } }
    }`,
  },
  open: [
    ...['PlanLimits.nonProductionEnvironments', 'PlanLimits.webhooks', 'PlanLimits.auditDays', 'PlanLimits.features'],
    ...['PlanRoom.allowed', 'PlanRoom.used', 'PlanFeatureUse.feature', 'PlanFeatureUse.isAllowed', 'PlanFeatureUse.used'],
  ],
  shortLists: ['PlanLimits.features'],
  mutations: {
    updateBusinessPlan: {
      permission: 'update:billing',
      action: 'business.plan_changed',
      input: async (stage) => ({ businessId: (await businessOfSameTeam(stage, 'free')).businessId, plan: 'PLUS' }),
      foreign: [{ type: 'Business', input: (businessId) => ({ businessId, plan: 'ENTERPRISE' }) }],
      onlyForPeople: true,
      mistakes: [
        inUse('NON_PRODUCTION_ENVIRONMENTS', 'free', async ({ ctx, businessId }) => {
          for (const domain of ['one-of-two', 'two-of-two']) await createEnvironment(ctx, { businessId, name: 'In use', domain });
        }),
        inUse('WEBHOOKS', 'free', ({ ctx, environmentId }) =>
          ctx.db.webhook.createMany({
            data: ['one', 'two'].map((name) => ({
              ...{ environmentId, id: newId('webhook'), name, url: 'https://hook.test', eventTypes: ['user.created'] },
            })),
          }),
        ),
        inUse('SPECIALIST_ROLES', 'free', ({ gatehouse, businessId }) =>
          makeMember(gatehouse, businessId, 'in-use@team.test', ['admin', 'finance']),
        ),
        inUse('TEAM_MFA', 'free', ({ ctx, businessId }) => ctx.db.teamPolicy.create({ data: { businessId, mfaPolicy: 'everyone' } })),
        inUse('API_KEYS', 'free', async (stage) => {
          const { ctx, environmentId } = stage;
          const key = {
            environmentId,
            id: newId('apiKey'),
            name: 'In use',
            kind: 'environment',
            keyHash: 'hash',
            hint: 'hint',
            scopes: [],
          };
          await ctx.db.apiKey.create({ data: { ...key, apiId: (await newApi(stage)).id } });
        }),
        inUse('HIDDEN_BADGE', 'free', ({ ctx, environmentId }) =>
          ctx.db.environment.update({ where: { id: environmentId }, data: { brand: { isBadgeHidden: true } } }),
        ),
        inUse('PASSKEYS', 'free', ({ ctx, environmentId }) =>
          ctx.db.environment.update({ where: { id: environmentId }, data: { passkeyPolicy: 'optional' } }),
        ),
        inUse('EXPLICIT_TERMS_ACCEPTANCE', 'free', ({ ctx, businessId }) =>
          updateBusiness(ctx, { businessId, isTermsAcceptanceExplicit: true }),
        ),
        inUse('PREVIOUS_SECRETS', 'free', (stage) =>
          stage.ctx.db.application.create({ data: { ...newApplication(stage), previousSecretHash: 'hash' } }),
        ),
        inUse('CUSTOM_SCOPES', 'pro', async (stage) => {
          const { ctx, environmentId } = stage;
          const scope = { environmentId, id: newId('apiScope'), name: 'read:things' };
          await ctx.db.apiScope.create({ data: { ...scope, apiId: (await newApi(stage)).id } });
        }),
        inUse('ORGANIZATION_MACHINES', 'pro', async (stage) => {
          const organization = await stage.ctx.db.organization.findFirstOrThrow({ where: { environmentId: stage.environmentId } });
          await stage.ctx.db.application.create({ data: { ...newApplication(stage), organizationId: organization.id } });
        }),
        inUse('ADVANCED_ORGANIZATIONS', 'plus', ({ ctx, environmentId }) =>
          ctx.db.organization.updateMany({ where: { environmentId }, data: { isAdvanced: true } }),
        ),
        inUse('TEAM_SSO', 'plus', ({ ctx, businessId }) => ctx.db.teamPolicy.create({ data: { businessId, ssoProtocol: 'saml' } })),
        {
          code: 'CONFLICT',
          path: ['expectedVersion'],
          input: ({ world }) => ({ businessId: world.businessId, plan: 'ENTERPRISE', expectedVersion: 99 }),
        },
      ],
    },
  },
};
