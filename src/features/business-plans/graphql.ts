/** Plans in the graph: what a business may have, and what of it is used. */
import { builder } from '../../graphql/builder.ts';
import { gathered } from '../../graphql/gathered.ts';
import { changed, defineMutation } from '../../graphql/payload.ts';
import { PlanEnum } from '../businesses/graphql.ts';
import { PLAN_FEATURES, type Plan, type PlanFeature, planHas, planLimits, wordsFor } from '../plans.ts';
import { codeOf, type Usage, updateBusinessPlan, usageOf } from './service.ts';

const constant = (feature: PlanFeature) => codeOf(feature).replace(/_IN_USE$/, '');

const PlanFeatureEnum = builder.enumType('PlanFeature', {
  description: 'What only some plans have.',
  values: Object.fromEntries(
    PLAN_FEATURES.map((feature) => [constant(feature), { value: feature, description: `${capital(wordsFor(feature))}.` }]),
  ) as Record<string, { value: PlanFeature; description: string }>,
});

const REACHED = 'it was reached through a gated field';

const PlanRoom = builder.objectRef<{ allowed: number | null; used: number }>('PlanRoom').implement({
  description: 'How many of something a business may have, and has.',
  open: REACHED,
  fields: (t) => ({
    allowed: t.exposeInt('allowed', { nullable: true, description: 'How many the plan allows; null for any number.' }),
    used: t.exposeInt('used', { description: 'How many there are.' }),
  }),
});

const PlanFeatureUse = builder.objectRef<{ feature: PlanFeature; isAllowed: boolean; used: number }>('PlanFeatureUse').implement({
  description: 'Whether a business may use something, and does.',
  open: REACHED,
  fields: (t) => ({
    feature: t.expose('feature', { type: PlanFeatureEnum, description: 'What it is.' }),
    isAllowed: t.exposeBoolean('isAllowed', { description: 'Whether the plan has it.' }),
    used: t.exposeInt('used', { description: 'How many things make use of it: keys, members, organizations, or 1 for what is on or off.' }),
  }),
});

const PlanLimits = builder.objectRef<{ plan: string; usage: Usage }>('PlanLimits').implement({
  description: 'What a business’s plan allows, with what is used of it.',
  open: REACHED,
  fields: (t) => ({
    nonProductionEnvironments: t.field({
      type: PlanRoom,
      description: 'Environments besides the production environment.',
      resolve: ({ plan, usage }) => ({
        allowed: planLimits(plan).nonProductionEnvironments,
        used: usage.nonProductionEnvironments,
      }),
    }),
    webhooks: t.field({
      type: PlanRoom,
      description: 'Webhooks of all environments together.',
      resolve: ({ plan, usage }) => ({ allowed: planLimits(plan).webhooks, used: usage.webhooks }),
    }),
    auditDays: t.int({ description: 'Days that the audit log is kept.', resolve: ({ plan }) => planLimits(plan).auditDays }),
    features: t.field({
      type: [PlanFeatureUse],
      description: 'Everything that only some plans have.',
      resolve: ({ plan, usage }) => PLAN_FEATURES.map((feature) => ({ feature, isAllowed: planHas(plan, feature), used: usage[feature] })),
    }),
  }),
});

const usage = gathered(usageOf);

builder.prismaObjectField('Business', 'planLimits', (t) =>
  t.field({
    type: PlanLimits,
    nullable: true,
    permission: 'read:billing',
    description: 'What its plan allows, with what is used of it.',
    select: { plan: true },
    resolve: async ({ id, plan }, _args, context) => {
      const found = await usage(context, id);
      return found ? { plan, usage: found } : null;
    },
  }),
);

defineMutation({
  name: 'updateBusinessPlan',
  description:
    'Moves a business to another plan, at once. On the way down everything that the smaller plan does not allow has to go first; only the audit log goes by itself, as far as the smaller plan does not keep it.',
  policy: { permission: updateBusinessPlan.permission },
  versioned: true,
  codes: {
    NON_PRODUCTION_ENVIRONMENTS_IN_USE: 'There are more non-production environments than the plan allows.',
    WEBHOOKS_IN_USE: 'There are more webhooks than the plan allows.',
    ...Object.fromEntries(PLAN_FEATURES.map((feature) => [codeOf(feature), `The plan comes without ${wordsFor(feature)}.`])),
  },
  input: (t) => ({
    businessId: t.id({ required: true, description: 'The business.' }),
    plan: t.field({ type: PlanEnum, required: true, description: 'The plan that it is on from now on.' }),
  }),
  run: (ctx, input) => updateBusinessPlan(ctx, { ...input, plan: input.plan as Plan }),
  payload: (t) => ({ business: changed(t, 'Business', 'The business.') }),
});

function capital(words: string): string {
  return words[0]!.toUpperCase() + words.slice(1);
}
