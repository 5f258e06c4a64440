import { BELL, type FeatureCases, type Mistake, type Stage } from './cases.ts';

const own = ({ world }: Stage) => ({ environmentId: world.ids.Environment });
const LINKS = { termsUri: 'https://example.test/terms', privacyUri: 'https://example.test/privacy' };

const mistake = (code: string, path: string[], change: object): Mistake => ({
  code,
  path,
  input: (stage) => ({ ...own(stage), ...LINKS, ...change }),
});

export const terms: FeatureCases = {
  fillEnvironment: async ({ ctx, environmentId, ids }) => {
    await ctx.db.termsAcceptance.create({
      data: { environmentId, userId: ids['User']!, version: 1, isExplicit: true, acceptedAt: ctx.clock.now(), ...LINKS },
    });
    return {};
  },
  shortLists: ['User.termsAcceptances'],
  mutations: {
    updateEnvironmentTerms: {
      permission: 'update:policies',
      action: 'environment.terms_updated',
      input: (stage, name) => ({ ...own(stage), ...LINKS, termsUri: `https://example.test/${encodeURIComponent(name)}`, isRevised: true }),
      foreign: [{ type: 'Environment', input: (environmentId) => ({ environmentId, ...LINKS }) }],
      mistakes: [
        mistake('INVALID_URL', ['termsUri'], { termsUri: 'http://example.test' }),
        mistake('INVALID_URL', ['privacyUri'], { privacyUri: 'javascript:alert(1)' }),
        mistake('TOO_LONG', ['privacyUri'], { privacyUri: `https://example.test/${'x'.repeat(2000)}` }),
        mistake('INVALID_TEXT', ['termsUri'], { termsUri: `https://example.test/${BELL}` }),
        mistake('NO_TERMS', ['isAcceptanceRequired'], { termsUri: null, privacyUri: null, isAcceptanceRequired: true }),
        mistake('CONFLICT', ['expectedVersion'], { expectedVersion: 99 }),
      ],
    },
  },
};
