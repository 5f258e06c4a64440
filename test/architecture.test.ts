/** The architecture, checked on the text of the source. Each rule is a line of one of the tables below. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const BASE = ['config', 'mail', 'phone', 'jobs', 'db', 'access', 'security', 'languages', 'kernel'];
const ADAPTERS = ['graphql', 'oidc', 'signin', 'pages', 'http'];

/** Which layers a layer may import, besides itself. */
const MAY_IMPORT: Record<string, string[]> = {
  main: ['cli', 'app', ...ADAPTERS, 'features', ...BASE],
  cli: ['app', ...ADAPTERS, 'features', ...BASE],
  app: [...ADAPTERS, 'features', ...BASE],
  ...Object.fromEntries(ADAPTERS.map((adapter) => [adapter, [...ADAPTERS, 'feature graphs', 'features', ...BASE]])),
  'feature graphs': ['graphql', 'features', ...BASE],
  features: BASE,
  mail: ['jobs', 'db', 'security', 'languages', 'kernel'],
  phone: ['jobs', 'db', 'security', 'languages', 'kernel'],
  jobs: ['db', 'kernel'],
  db: ['kernel'],
  access: ['kernel'],
  security: ['kernel'],
  languages: [],
  kernel: [],
  config: [],
};

/** What no import may match, written as `src/importing.ts > src/imported.ts`, or `… > type …` when only types are imported. */
// biome-ignore format: a rule, a line
const IMPORTS_NEVER: [rule: string, edge: RegExp][] = [
  ['a feature reaches another through its service', /^src\/features\/([^/]+)\/(?!graphql\.ts).* > (type )?src\/features\/(?!\1\/)[^/]+\/(?!service\.ts)/],
  ["a feature's graph reaches another through its graph or service", /^src\/features\/([^/]+)\/graphql\.ts > (type )?src\/features\/(?!\1\/)[^/]+\/(?!(graphql|service)\.ts)/],
  ['a resolver reaches the database through services', /\/graphql\.ts > src\/db\/client\.ts/],
];

/** What no source file may hold outside a comment, save those whose path matches `except`. */
// biome-ignore format: a rule, a line
const TEXT_NEVER: [rule: string, text: RegExp, except: RegExp][] = [
  ['only the configuration reads the environment', /process\.env/g, /^src\/(config|main|cli)\.ts/],
  ['only the clock reads the time', /Date\.now\(|new Date\(\)/g, /^src\/kernel\/clock\.ts/],
  ['only ids and security make randomness', /\{[^}]*\brandom\w+[^}]*\} from 'node:crypto'|crypto\.(random|getRandom)\w+|Math\.random/g, /^src\/(kernel\/ids|db\/migrate|config)\.ts|^src\/security\//],
  ['what few processes use is loaded when it is used', /^import (?!type )[^;]*? from '(@electric-sql\/pglite|pglite-prisma-adapter|nodemailer|@simplewebauthn\/server|libphonenumber-js|qrcode)\b/gm, /^$/],
];

const root = join(import.meta.dirname, '..');
const files = globSync('{src,test}/**/*.ts', { cwd: root })
  .filter((path) => !path.includes('/generated/'))
  .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
const sources = files.filter(({ path }) => path.startsWith('src/'));
const imports = sources.flatMap(({ path, text }) =>
  [...text.matchAll(/^(?:import|export)\s+(type\s+)?(?:[\w\s*,{}$]*\sfrom\s+)?'([^']+)'|\bimport\('([^']+)'/gm)].map(
    ([, type, from, dynamic]) => ({ from: path, to: resolve(path, (from ?? dynamic)!), type: type !== undefined }),
  ),
);

test.each(Object.entries(MAY_IMPORT))('%s imports only what is below it', (layer, allowed) => {
  const forbidden = imports.filter(
    ({ from, to }) => to.startsWith('src/') && layerOf(from) === layer && ![layer, ...allowed].includes(layerOf(to)),
  );
  expect(forbidden.map(edge)).toEqual([]);
});

test('every source file belongs to a layer', () => {
  expect(sources.map(({ path }) => path).filter((path) => !(layerOf(path) in MAY_IMPORT))).toEqual([]);
});

test.each(IMPORTS_NEVER)('%s', (_rule, forbidden) => {
  expect(imports.map(edge).filter((line) => forbidden.test(line))).toEqual([]);
});

test.each(TEXT_NEVER)('%s', (_rule, forbidden, except) => {
  const found = sources
    .filter(({ path }) => !except.test(path))
    .map(({ path, text }) => ({ path, found: withoutComments(text).match(forbidden) }));
  expect(found.filter((file) => file.found)).toEqual([]);
});

test('no file exceeds 400 lines', () => {
  const lengths = files.map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }));
  expect(lengths.filter(({ lines }) => lines > 400)).toEqual([]);
});

test('no file or folder is a drawer for anything', () => {
  expect(sources.map(({ path }) => path).filter((path) => /\/(utils?|common|misc|helpers?)(\/|\.ts$)/.test(path))).toEqual([]);
});

test('the imports are really read', () => {
  expect(imports.map(edge)).toEqual(
    expect.arrayContaining([
      'src/config.ts > zod',
      'src/features/context.ts > type src/kernel/actor.ts',
      'src/db/client.ts > src/db/generated/client/client.ts',
    ]),
  );
});

function resolve(importer: string, specifier: string): string {
  return specifier.startsWith('.') ? join(dirname(importer), specifier) : specifier;
}

function edge({ from, to, type }: (typeof imports)[number]): string {
  return `${from} > ${type ? 'type ' : ''}${to}`;
}

/** `src/kernel/ids.ts` is of the layer `kernel`, `src/app.ts` of `app`. */
function layerOf(path: string): string {
  if (/^src\/features\/(index|.*\/graphql)\.ts$/.test(path)) return 'feature graphs';
  return path.split('/')[1]!.replace(/\.ts$/, '');
}

function withoutComments(text: string): string {
  return text.replace(/\/\*.*?\*\/|(?<=^|\s)\/\/.*?$/gms, '');
}
