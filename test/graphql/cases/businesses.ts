import { createBusinessRow } from '../../../src/features/businesses/service.ts';
import { accountEnvironment } from '../../../src/features/environments/service.ts';
import type { Plan } from '../../../src/features/plans.ts';
import { addTeamMember } from '../../../src/features/team/service.ts';
import { newId } from '../../../src/kernel/ids.ts';
import { BELL, type FeatureCases, LONG, type MistakeStage, type Stage, textMistakes } from './cases.ts';

const business = () => ({ name: 'New', region: 'IE' });
const own = ({ world }: Stage) => ({ businessId: world.businessId });

let made = 0;

/** Makes another business with the team of the stage's, each with the same roles. */
export async function businessOfSameTeam({ ctx, world }: Stage, plan: Plan): Promise<{ businessId: string; name: string }> {
  const name = `of-same-team-${++made}`;
  const { id: businessId } = await createBusinessRow(ctx, { name, region: 'ie', plan });
  const members = await ctx.db.teamMember.findMany({ where: { businessId: world.businessId } });
  await ctx.db.teamMember.createMany({ data: members.map((member) => ({ ...member, id: newId('teamMember'), businessId })) });
  return { businessId, name };
}

export const businesses: FeatureCases = {
  kinds: { Business: 'business' },
  lists: {
    'all businesses with their environments and teams': `businesses(first: $first) { totalCount nodes {
      name environments(first: $first) { nodes { name } } teamMembers(first: $first) { nodes { email } }
    } }`,
  },
  open: ['Mutation.createBusiness', 'Industry.key', 'Industry.name', 'Timezone.key', 'Timezone.name'],
  shortLists: ['Query.industries', 'Query.timezones'],
  mutations: {
    createBusiness: {
      action: 'business.created',
      input: (_stage, name) => ({ ...business(), name, domain: name }),
      mistakes: [
        ...textMistakes('name', business),
        { code: 'INVALID_DOMAIN', path: ['domain'], input: () => ({ ...business(), domain: 'Not a domain' }) },
        { code: 'DOMAIN_TAKEN', path: ['domain'], input: ({ world }: MistakeStage) => ({ ...business(), domain: world.name }) },
        { code: 'DOMAIN_TAKEN', path: ['domain'], input: () => ({ ...business(), domain: 'account' }) },
      ],
    },
    updateBusiness: {
      permission: 'update:businesses',
      action: 'business.updated',
      input: (stage, name) => ({ ...own(stage), name: stage.world.name, email: `${name}@business.test`, timezone: 'Europe/London' }),
      foreign: [{ type: 'Business', input: (businessId) => ({ businessId, name: 'Mine' }) }],
      mistakes: [
        ...textMistakes('name', own),
        { code: 'TOO_LONG', path: ['email'], input: (stage) => ({ ...own(stage), email: `${LONG}@${LONG}.test` }) },
        { code: 'INVALID_TEXT', path: ['phone'], input: (stage) => ({ ...own(stage), phone: BELL }) },
        { code: 'INVALID_EMAIL', path: ['email'], input: (stage) => ({ ...own(stage), email: 'nobody' }) },
        { code: 'INVALID_PHONE', path: ['phone'], input: (stage) => ({ ...own(stage), phone: '0555 111 555' }) },
        { code: 'INVALID_INDUSTRY', path: ['industry'], input: (stage) => ({ ...own(stage), industry: 'alchemy' }) },
        { code: 'INVALID_TIMEZONE', path: ['timezone'], input: (stage) => ({ ...own(stage), timezone: 'Europe/Atlantis' }) },
        ...['http://terms.test', 'javascript:alert(1)', 'terms', 'https://a b.test', 'https://me:secret@terms.test'].map((termsUrl) => ({
          code: 'INVALID_URL',
          path: ['termsUrl'],
          input: (stage: Stage) => ({ ...own(stage), termsUrl }),
        })),
        { code: 'TOO_LONG', path: ['privacyUrl'], input: (stage) => ({ ...own(stage), privacyUrl: `https://${'x'.repeat(2000)}.test` }) },
        {
          code: 'PLAN_LIMIT',
          path: ['isTermsAcceptanceExplicit'],
          input: ({ small }) => ({ businessId: small.businessId, isTermsAcceptanceExplicit: true }),
        },
        { code: 'CONFLICT', path: ['expectedVersion'], input: (stage) => ({ ...own(stage), expectedVersion: 99 }) },
      ],
    },
    enterPerkCode: {
      permission: 'update:billing',
      action: 'business.perk_code_entered',
      input: (stage, code) => ({ ...own(stage), code }),
      foreign: [{ type: 'Business', input: (businessId) => ({ businessId, code: 'mine' }) }],
      onlyForPeople: true,
      mistakes: textMistakes('code', own),
    },
    deleteBusiness: {
      permission: 'delete:businesses',
      action: 'business.deleted',
      input: async (stage) => {
        const { businessId, name } = await businessOfSameTeam(stage, 'free');
        return { businessId, confirmation: name };
      },
      foreign: [{ type: 'Business', input: (businessId) => ({ businessId, confirmation: 'beta' }) }],
      onlyForPeople: true,
      mistakes: [
        { code: 'NOT_FREE', path: [], input: ({ world }) => ({ businessId: world.businessId, confirmation: world.name }) },
        ...['', 'Small', 'small '].map((confirmation) => ({
          code: 'WRONG_CONFIRMATION',
          path: ['confirmation'],
          input: ({ small }: MistakeStage) => ({ businessId: small.businessId, confirmation }),
        })),
        { code: 'WRONG_CONFIRMATION', path: ['confirmation'], input: ({ small }) => ({ businessId: small.businessId }) },
        {
          code: 'WRONG_CONFIRMATION',
          path: ['confirmation'],
          input: ({ small }) => ({ businessId: small.businessId, confirmation: 'large', dryRun: true }),
        },
        {
          code: 'PLATFORM',
          path: [],
          input: async ({ ctx, callerMemberId }) => {
            const { businessId } = await accountEnvironment(ctx);
            const caller = await ctx.db.teamMember.findFirstOrThrow({ where: { id: callerMemberId } });
            await addTeamMember(ctx, { ...caller, businessId, roles: ['owner'] });
            return { businessId, confirmation: 'Gatehouse' };
          },
        },
      ],
    },
  },
};
