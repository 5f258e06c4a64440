import type { FeatureCases, MistakeStage } from './cases.ts';
import { textMistakes } from './cases.ts';

const business = () => ({ name: 'New', region: 'IE' });

export const businesses: FeatureCases = {
  kinds: { Business: 'business' },
  lists: {
    'all businesses with their environments and teams': `businesses(first: $first) { totalCount nodes {
      name environments(first: $first) { nodes { name } } teamMembers(first: $first) { nodes { email } }
    } }`,
  },
  open: ['Mutation.createBusiness'],
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
  },
};
