import { BELL, type FeatureCases, type Mistake, type Stage } from './cases.ts';

const own = ({ world }: Stage) => ({ environmentId: world.ids.Environment, page: 'SIGN_IN' });

const mistake = (code: string, path: string[], change: object): Mistake => ({
  code,
  path,
  input: (stage) => ({ ...own(stage), ...change }),
});
const text = (code: string, key: string, said: string, part = 'text') =>
  mistake(code, ['texts', '0', part], { texts: [{ key, text: said }] });
const css = (code: string, customCss: string) => mistake(code, ['brand', 'customCss'], { brand: { customCss } });

export const pagePreviews: FeatureCases = {
  open: ['CreatePagePreviewPayload.expiresAt', 'CreatePagePreviewPayload.url'],
  mutations: {
    createPagePreview: {
      permission: 'update:branding',
      action: 'page_preview.created',
      input: (stage, name) => ({
        ...own(stage),
        language: 'de',
        theme: 'DARK',
        organizationId: stage.world.ids.Organization,
        brand: { customCss: '.card { color: red }', cardRadius: 3 },
        texts: [{ key: 'login.heading', text: name }],
      }),
      foreign: [
        { type: 'Environment', input: (environmentId) => ({ environmentId, page: 'CODE' }) },
        { type: 'Organization', input: (organizationId, { ids }) => ({ environmentId: ids.Environment, page: 'CODE', organizationId }) },
      ],
      mistakes: [
        mistake('INVALID_COLOR', ['brand', 'darkColors', 'link'], { brand: { darkColors: { link: 'red' } } }),
        mistake('LOW_CONTRAST', ['brand', 'lightColors', 'link'], { brand: { lightColors: { link: '#ffdd00' } } }),
        mistake('OUT_OF_RANGE', ['brand', 'buttonRadius'], { brand: { buttonRadius: -1 } }),
        css('UNSAFE_CSS', '</style><script>alert(1)</script>'),
        css('TOO_LONG', 'x'.repeat(20_001)),
        mistake('UNKNOWN_LANGUAGE', ['language'], { language: 'tlh' }),
        text('UNKNOWN_KEY', 'login.nothing', 'x', 'key'),
        text('UNKNOWN_PLACEHOLDER', 'code.lead', 'Sent to {email} by {csrf}'),
        text('MISSING_PLACEHOLDER', 'device.lead', 'Allow {application}?'),
        text('INVALID_TEXT', 'login.heading', BELL),
        mistake('TOO_MANY', ['texts'], { texts: Array.from({ length: 501 }, () => ({ key: 'login.heading', text: 'x' })) }),
      ],
    },
  },
};
