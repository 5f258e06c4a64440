import { BELL, type FeatureCases, type Mistake, type Stage } from './cases.ts';

const own = ({ world }: Stage) => ({ environmentId: world.ids.Environment });
const texts = [{ key: 'login.heading', text: 'Come in' }];

const mistake = (code: string, path: string[], change: object): Mistake => ({
  code,
  path,
  input: (stage) => ({ ...own(stage), language: 'en', texts, ...change }),
});
const wrong = (code: string, key: string, text: string, part = 'text') =>
  mistake(code, ['texts', '1', part], { texts: [...texts, { key, text }] });

export const pageTexts: FeatureCases = {
  shortLists: ['Environment.texts', 'PageText.placeholders'],
  mutations: {
    updatePageTexts: {
      permission: 'update:branding',
      action: 'environment.texts_updated',
      input: (stage, name) => ({
        ...own(stage),
        language: 'he',
        texts: [
          { key: 'register.heading', text: name },
          { key: 'login.heading', text: null },
        ],
      }),
      foreign: [{ type: 'Environment', input: (environmentId) => ({ environmentId, language: 'en', texts }) }],
      mistakes: [
        mistake('UNKNOWN_LANGUAGE', ['language'], { language: 'tlh' }),
        wrong('UNKNOWN_KEY', 'login.nothing', 'x', 'key'),
        wrong('UNKNOWN_KEY', 'toString', 'x', 'key'),
        wrong('UNKNOWN_KEY', 'page.footer', 'Made here', 'key'),
        wrong('UNKNOWN_PLACEHOLDER', 'code.lead', 'Sent to {email} by {csrf}'),
        wrong('MISSING_PLACEHOLDER', 'device.lead', 'Allow {application}?'),
        wrong('TOO_LONG', 'login.heading', 'x'.repeat(1001)),
        wrong('INVALID_TEXT', 'login.heading', BELL),
        mistake('TOO_MANY', ['texts'], { texts: Array.from({ length: 501 }, () => texts[0]) }),
        mistake('CONFLICT', ['expectedVersion'], { expectedVersion: 99 }),
      ],
    },
  },
};
