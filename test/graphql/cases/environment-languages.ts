import type { FeatureCases, Stage } from './cases.ts';

const own = ({ world }: Stage) => ({ environmentId: world.ids.Environment });

export const environmentLanguages: FeatureCases = {
  shortLists: ['Environment.languages'],
  mutations: {
    updateEnvironmentLanguages: {
      permission: 'update:branding',
      action: 'environment.languages_updated',
      input: (stage) => ({ ...own(stage), languages: ['en', 'he', 'de', 'he'], defaultLanguage: 'de' }),
      foreign: [{ type: 'Environment', input: (environmentId) => ({ environmentId, languages: ['en'], defaultLanguage: 'en' }) }],
      mistakes: [
        { code: 'UNKNOWN_LANGUAGE', path: ['languages', '1'], input: (stage) => ({ ...own(stage), languages: ['en', 'tlh'] }) },
        { code: 'UNKNOWN_LANGUAGE', path: ['defaultLanguage'], input: (stage) => ({ ...own(stage), defaultLanguage: 'toString' }) },
        {
          code: 'DEFAULT_NOT_SPOKEN',
          path: ['defaultLanguage'],
          input: (stage) => ({ ...own(stage), languages: ['en', 'de'], defaultLanguage: 'he' }),
        },
        { code: 'CONFLICT', path: ['expectedVersion'], input: (stage) => ({ ...own(stage), languages: [], expectedVersion: 99 }) },
      ],
    },
  },
};
