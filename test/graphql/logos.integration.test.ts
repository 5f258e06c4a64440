/** Logos: what is taken for a picture, how it is served, and that there is one of each type. */
import { beforeAll, describe, expect, test } from 'vitest';
import { createEnvironment, deleteEnvironment } from '../../src/features/environments/service.ts';
import { setEnvironmentLogo } from '../../src/features/logos/service.ts';
import { createOrganization } from '../../src/features/organizations/service.ts';
import { newId } from '../../src/kernel/ids.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { GIF, SVG } from './cases/logos.ts';
import { digestOfEverything, makeWorld, operator, signInMember, tokenOf, type World } from './world.ts';

const gatehouse = startApp();
let world: World;
let owner: string;
let environmentId: string;

beforeAll(async () => {
  world = await makeWorld(gatehouse, 'alpha');
  await makeWorld(gatehouse, 'beta');
  owner = await signInMember(gatehouse, world.businessId, 'owner@alpha.test', ['owner']);
  environmentId = world.ids.Environment;
});

interface Logo {
  readonly type: string;
  readonly url: string;
  readonly contentType: string;
}

interface Owned {
  readonly logos: Logo[];
}

interface Answer {
  readonly environment?: Owned | null;
  readonly organization?: Owned | null;
  readonly preview?: { readonly rows: object[] } | null;
  readonly errors: { readonly code: string; readonly path: string[]; readonly message: string }[];
}

async function change(mutation: string, input: object, token = owner): Promise<Answer> {
  const what = mutation.includes('Environment') ? 'environment' : 'organization';
  const type = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}`;
  const remove = mutation.startsWith('remove');
  const document = `mutation ($input: ${type}Input!) { ${mutation}(input: $input) {
    ${what} { logos { type url contentType } } ${remove ? 'preview { rows { kind deleted } }' : ''}
    errors { ${remove ? '' : 'code'} path message } } }`;
  const { data, errors } = await ask<Record<string, Answer>, object>(gatehouse, token, document, { input });
  expect(errors).toEqual([]);
  return data![mutation]!;
}

const encode = (content: string | Uint8Array) => Buffer.from(content as string).toString('base64');
const latin1 = (text: string) => Buffer.from(text, 'latin1');
const svg = (inside: string, attributes = '') =>
  `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ${attributes}>${inside}</svg>`;

async function set(content: string | Uint8Array, type = 'LIGHT'): Promise<Logo> {
  const { environment, errors } = await change('setEnvironmentLogo', { environmentId, type, contentBase64: encode(content) });
  expect(errors).toEqual([]);
  return environment!.logos.find((logo) => logo.type === type)!;
}

async function codesOf(content: string | Uint8Array, type = 'LIGHT'): Promise<string[]> {
  const { environment, errors } = await change('setEnvironmentLogo', { environmentId, type, contentBase64: encode(content) });
  expect(environment === null).toBe(errors.length > 0);
  return errors.map(({ code }) => code);
}

async function newOrganization(name: string): Promise<string> {
  return (await createOrganization(operator(gatehouse), { environmentId, name })).id;
}

const PICTURES: [contentType: string, content: Buffer][] = [
  ['image/png', latin1('\x89PNG\r\n\x1a\n\0\0\0\rIHDR')],
  ['image/jpeg', latin1('\xff\xd8\xff\xe0\0\x10JFIF')],
  ['image/gif', Buffer.from(GIF, 'base64')],
  ['image/webp', latin1('RIFF\x24\0\0\0WEBPVP8 ')],
  ['image/avif', latin1('\0\0\0\x20ftypavif\0\0\0\0avifmif1')],
  ['image/avif', latin1('\0\0\0\x20ftypmif1\0\0\0\0mif1avif')],
  ['image/svg+xml', Buffer.from(svg('<path d="M0 0h1v1z"/>'))],
];

describe('a picture', () => {
  test.each(PICTURES)('of the type %s is told by its bytes and served as they are', async (contentType, content) => {
    const logo = await set(content);
    expect(logo).toMatchObject({ type: 'LIGHT', contentType });
    const response = await fetch(logo.url);
    expect([response.status, Buffer.from(await response.arrayBuffer()).equals(content)]).toEqual([200, true]);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': contentType,
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'cross-origin',
      'cache-control': 'public, max-age=31536000, immutable',
      etag: expect.stringMatching(/^"logo_[0-9a-f]{32}"$/),
    });
    const etag = response.headers.get('etag')!;
    const again = await fetch(logo.url, { headers: { 'if-none-match': etag } });
    expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', etag]);
    expect((await fetch(logo.url, { headers: { 'if-none-match': '"logo_other"' } })).status).toBe(200);
  });

  test.each([
    ['a page', '<!doctype html><html><body><script>alert(1)</script></body></html>'],
    ['a page that begins as if it were text', 'PNG <script>alert(1)</script>'],
    ['a signature with something before it', latin1(' \x89PNG\r\n\x1a\n')],
    ['half a signature', latin1('\x89PN')],
    ['a video of the same family as AVIF', latin1('\0\0\0\x18ftypmp42\0\0\0\0mp42isom')],
    ['a sound of the same family as WEBP', latin1('RIFF\x24\0\0\0WAVEfmt ')],
    ['a program', latin1('\x7fELF\x02\x01\x01')],
    ['an icon of the old kind', latin1('\0\0\x01\0\x01\0')],
    ['other XML', '<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"/>'],
    ['an svg of no namespace', '<svg><path d="M0 0"/></svg>'],
    ['an svg of another namespace', '<svg xmlns="http://www.w3.org/1999/xhtml"/>'],
    ['an SVG in UTF-16', Buffer.from(`\ufeff${svg('')}`, 'utf16le')],
  ])('is not %s', async (_what, content) => {
    expect(await codesOf(content)).toEqual(['UNSUPPORTED_TYPE']);
  });

  test('that is a program, too, is served as the picture only, which no browser runs', async () => {
    const polyglot = latin1('GIF89a/*\0\0\0\0*/=1;alert(document.domain)//<script>alert(1)</script>');
    const response = await fetch((await set(polyglot)).url);
    expect([response.headers.get('content-type'), response.headers.get('x-content-type-options')]).toEqual(['image/gif', 'nosniff']);
    expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none';.* sandbox$/);
  });

  test('is smaller than 1 MB, and may be nearly that', async () => {
    const nearly = Buffer.concat([Buffer.from('GIF89a'), Buffer.alloc(1024 * 1024 - 7)]);
    expect((await fetch((await set(nearly)).url)).headers.get('content-length')).toBe(String(1024 * 1024 - 1));
    expect(await codesOf(Buffer.concat([nearly, Buffer.alloc(1)]))).toEqual(['TOO_LARGE']);
  });

  test('is not read from nobody: a request without a token has 1 MB at most', async () => {
    const document = 'query ($x: String) { viewer { kind } __typename @skip(if: true) }';
    const x = 'x'.repeat(1.2 * 1024 * 1024);
    expect(await ask(gatehouse, undefined, document, { x })).toMatchObject({
      status: 413,
      errors: [{ extensions: { code: 'BAD_USER_INPUT' } }],
    });
    expect((await ask(gatehouse, owner, document, { x })).status).not.toBe(413);
  });

  test('as the SVG favicon is an SVG', async () => {
    expect(await codesOf(Buffer.from(GIF, 'base64'), 'FAVICON_SVG')).toEqual(['UNSUPPORTED_TYPE']);
    expect((await set(Buffer.from(SVG, 'base64'), 'FAVICON_SVG')).contentType).toBe('image/svg+xml');
    expect((await set(Buffer.from(GIF, 'base64'), 'FAVICON_FALLBACK')).contentType).toBe('image/gif');
  });
});

const PNG = 'data:image/png;base64,iVBORw0KGgo=';

describe('an SVG', () => {
  test.each([
    [
      'from a drawing program',
      `<?xml version="1.0" encoding="UTF-8" standalone="no"?><!-- Made by hand -->
      ${svg(
        `<sodipodi:namedview id="base" pagecolor="#ffffff"/><metadata id="m"><rdf:RDF><cc:Work rdf:about=""/></rdf:RDF></metadata>
         <path inkscape:label="Layer (1)" style="fill:url(#g);transform:rotate(3deg)" d="M0 0"/>`,
        `xmlns:sodipodi="http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd" xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape"
         xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:cc="http://creativecommons.org/ns#" xml:space="preserve"`,
      )}`,
    ],
    [
      'with gradients, masks and what is used twice',
      svg(
        `<defs><linearGradient id="g" gradientTransform="rotate(90)"><stop offset="0" stop-color="rgb(1,2,3)"/></linearGradient></defs>
       <g id="a" clip-path="url(#c)" aria-label="Ours (the best)"><rect fill="url('#g')" width="1" height="1"/></g><use xlink:href="#a"/><use href="#a"/>`,
      ),
    ],
    [
      'that knows dark pages',
      svg(
        `<style><![CDATA[path{fill:#000} @media (prefers-color-scheme: dark) { path { fill: hsl(0 0% 100%) } }]]></style><path d="M0 0"/>`,
      ),
    ],
    ['with pictures in it', svg(`<image href="${PNG}" width="1" height="1"/><rect style="fill:url(${PNG})"/>`)],
    ['with a prefix on every name', '<s:svg xmlns:s="http://www.w3.org/2000/svg"><s:title>Ours &amp; yours</s:title></s:svg>'],
  ])('%s is taken', async (_what, content) => {
    expect(await codesOf(content)).toEqual([]);
  });

  const style = (css: string) => svg(`<style>${css}</style>`);
  const ATTACKS: [what: string, content: string][] = [
    ['a script', svg('<script>alert(1)</script>')],
    ['a script by another name', svg('<x:script xmlns:x="http://www.w3.org/2000/svg">alert(1)</x:script>')],
    ['a script of a page', svg('<script xmlns="http://www.w3.org/1999/xhtml">alert(1)</script>')],
    ['a script in what programs note', svg('<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><script/></r:RDF>')],
    ['a script in capitals', svg('<SCRIPT>alert(1)</SCRIPT>')],
    ['a script elsewhere', svg('<script href="https://evil.test/x.js"/>')],
    ['an event handler', svg('', 'onload="alert(1)"')],
    ['an event handler in capitals', svg('<rect OnClick="alert(1)"/>')],
    ['an event handler behind a prefix', svg('<rect x:onclick="alert(1)" xmlns:x="http://www.inkscape.org/namespaces/inkscape"/>')],
    ['a foreign object', svg('<foreignObject><body xmlns="http://www.w3.org/1999/xhtml"/></foreignObject>')],
    ['a frame', svg('<iframe xmlns="http://www.w3.org/1999/xhtml" src="https://evil.test"/>')],
    ['a link', svg('<a href="https://evil.test"><rect/></a>')],
    ['a link that runs', svg('<a xlink:href="javascript:alert(1)"><rect/></a>')],
    ['a use that runs', svg('<use href="javascript:alert(1)"/>')],
    ['the same in other letters', svg('<use href="JaVaScRiPt:alert(1)"/>')],
    ['the same in references', svg('<use href="&#106;&#x61;vascript:alert(1)"/>')],
    ['the same with a break in it', svg('<use href="java&#10;script:alert(1)"/>')],
    ['the same behind another prefix', svg('<use y:href="javascript:alert(1)" xmlns:y="http://www.w3.org/1999/xlink"/>')],
    ['a use of something elsewhere', svg('<use href="https://evil.test/x.svg#a"/>')],
    ['a use of something on the same server', svg('<use href="/logos/other#a"/>')],
    ['an SVG in an address', svg('<image href="data:image/svg+xml;base64,PHN2Zy8+"/>')],
    ['a page in an address', svg('<use href="data:text/html,&lt;script>alert(1)&lt;/script>"/>')],
    ['a picture elsewhere', svg('<image xlink:href="https://evil.test/track.png"/>')],
    ['a picture elsewhere, by a filter', svg('<filter id="f"><feImage href="https://evil.test/track.png"/></filter>')],
    ['another base', svg('<use href="#a"/>', 'xml:base="https://evil.test/"')],
    ['an address in a style', svg('<rect style="fill:url(https://evil.test/x#a)"/>')],
    ['an address in quotes', svg('<rect fill="url(&quot;//evil.test/x&quot;)"/>')],
    ['an address in capitals', svg('<rect fill="URL(https://evil.test)"/>')],
    ['an address with an escape', svg('<rect fill="u\\72l(https://evil.test)"/>')],
    ['an address in a cursor', svg('<rect cursor="url(https://evil.test), auto"/>')],
    ['an address beside a good one', svg('<rect style="fill:url(#a) url(https://evil.test/)"/>')],
    ['an address by another function', svg('<rect style="mask:image-set(\'https://evil.test/x\' 1x)"/>')],
    ['a style sheet elsewhere', style('@import "https://evil.test/x.css";')],
    ['the same in capitals', style('@IMPORT url(//evil.test/x.css);')],
    ['the same around a comment', style('@im<!-- -->port "https://evil.test/x.css";')],
    ['the same in two kinds of text', style('@im<![CDATA[port "https://evil.test/x.css";]]>')],
    ['the same around an element', style('@im<g/>port "https://evil.test/x.css";')],
    ['the same with an escape', style('@\\69mport "https://evil.test/x.css";')],
    ['a font elsewhere', style('@font-face{font-family:a;src:url(https://evil.test/a.woff)}')],
    ['an address in a style sheet', style('path{fill:url(https://evil.test/x)}')],
    ['a style of a page', svg('<style xmlns="http://www.w3.org/1999/xhtml">@import "//evil.test/x"</style>')],
    ['an animation of an address', svg('<a><animate attributeName="href" values="javascript:alert(1)"/></a>')],
    ['a setting of an address', svg('<use href="#a"><set attributeName="xlink:href" to="https://evil.test/#a"/></use>')],
    ['a handler', svg('<handler type="application/ecmascript">alert(1)</handler>')],
    ['a document type', `<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">${svg('')}`],
    ['an entity', `<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>${svg('<text>&x;</text>')}`],
    ['entities that multiply', `<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>${svg('<text>&b;</text>')}`],
    ['an entity that nobody defined', svg('<text>&nbsp;</text>')],
    ['a style sheet by an instruction', `<?xml-stylesheet href="https://evil.test/x.css"?>${svg('')}`],
    ['an instruction', svg('<?php system("id") ?>')],
    ['another encoding', `<?xml version="1.0" encoding="UTF-7"?>${svg('+ADw-script+AD4-alert(1)+ADw-/script+AD4-')}`],
    ['an element that is never closed', svg('<g>')],
    ['two roots', `${svg('')}${svg('<script/>')}`],
    ['text after its end', `${svg('')}<script>alert(1)</script>`],
    ['an attribute twice', svg('<use href="#a" href="javascript:alert(1)"/>')],
    ['a prefix that nobody bound', svg('<use evil:href="javascript:alert(1)"/>')],
    ['more depth than any drawing', svg(`${'<g>'.repeat(101)}${'</g>'.repeat(101)}`)],
  ];

  test('is refused with anything that is no drawing, and nothing changes', async () => {
    const before = await digestOfEverything(gatehouse);
    for (const [what, content] of ATTACKS) expect([what, await codesOf(content)]).toEqual([what, ['UNSAFE_SVG']]);
    expect(await digestOfEverything(gatehouse)).toBe(before);
  });

  test.each([
    ['depth', `${'<g>'.repeat(250_000)}`],
    ['spaces in an address', `<rect fill="url(${PNG}${' '.repeat(900_000)}x)"/>`],
    ['a name without an end', `<rect fill="${'a'.repeat(900_000)}"/>`],
    ['brackets', `<rect fill="${'('.repeat(900_000)}"/>`],
    ['addresses that do not end', `<rect fill="${'url(#a'.repeat(150_000)}"/>`],
    ['line ends', `<text>${'\r'.repeat(900_000)}</text>`],
  ])('that is nothing but %s is judged as quickly as any', async (_what, inside) => {
    const started = performance.now();
    await codesOf(svg(inside));
    expect(performance.now() - started).toBeLessThan(3000);
  });
});

describe('an address', () => {
  test('is its environment’s: at any other, and for ids that nobody has, there is the same nothing', async () => {
    const { url } = await set(Buffer.from(GIF, 'base64'));
    const id = url.slice(url.lastIndexOf('/') + 1);
    const { issuer } = world.production.machine;
    expect(url).toBe(`${issuer}/logos/${id}`);
    const nothing = async (address: string) => {
      const response = await fetch(address);
      return [response.status, response.headers.get('cache-control'), response.headers.get('etag'), await response.text()];
    };
    const unknown = await nothing(`${issuer}/logos/${newId('logo')}`);
    expect(unknown.slice(0, 3)).toEqual([404, 'no-store', null]);
    for (const elsewhere of [world.development.machine.issuer, issuer.replace('alpha', 'beta'), gatehouse.baseUrl])
      expect(await nothing(`${elsewhere}/logos/${id}`)).toEqual(unknown);
    for (const odd of [environmentId, 'logo_', `${id}%00`, '%00', '..%2F', id.toUpperCase()])
      expect(await nothing(`${issuer}/logos/${odd}`)).toEqual(unknown);
  });

  test('is over when another picture takes the place, or the picture is removed', async () => {
    const first = await set(Buffer.from(GIF, 'base64'), 'DARK');
    const second = await set(Buffer.from(SVG, 'base64'), 'DARK');
    expect([(await fetch(first.url)).status, (await fetch(second.url)).status]).toEqual([404, 200]);
    await change('removeEnvironmentLogo', { environmentId, type: 'DARK' });
    expect((await fetch(second.url, { headers: { 'if-none-match': '*' } })).status).toBe(404);
  });
});

describe('of each type there is one', () => {
  test('however many are sent at once', async () => {
    const organizationId = await newOrganization('contested');
    const many = (mutation: string, input: object) =>
      Promise.all(Array.from({ length: 6 }, () => change(mutation, { ...input, type: 'DARK', contentBase64: GIF })));
    const answers = [...(await many('setEnvironmentLogo', { environmentId })), ...(await many('setOrganizationLogo', { organizationId }))];
    expect(answers.flatMap(({ errors }) => errors)).toEqual([]);
    const { db } = operator(gatehouse);
    for (const owned of [null, organizationId])
      expect(await db.logo.count({ where: { environmentId, organizationId: owned, type: 'dark' } })).toBe(1);
  });

  test('which the database itself sees to, of an environment’s own, too', async () => {
    await set(Buffer.from(GIF, 'base64'));
    const row = {
      environmentId,
      id: newId('logo'),
      organizationId: null,
      type: 'light',
      contentType: 'image/gif',
      bytes: Buffer.from('x'),
    };
    await expect(operator(gatehouse).db.logo.create({ data: row })).rejects.toMatchObject({ code: 'P2002' });
  });

  test('of an environment and of each organization by itself', async () => {
    const organizationId = await newOrganization('own');
    await set(Buffer.from(GIF, 'base64'));
    for (const type of ['LIGHT', 'DARK']) await change('setOrganizationLogo', { organizationId, type, contentBase64: GIF });
    const { organization } = await change('removeOrganizationLogo', { organizationId, type: 'LIGHT' });
    expect(organization!.logos.map(({ type }) => type)).toEqual(['DARK']);
    const machine = await tokenOf(world.production.machine);
    const { environment } = await change('setEnvironmentLogo', { type: 'LIGHT', contentBase64: SVG }, machine);
    expect(environment!.logos).toContainEqual({
      type: 'LIGHT',
      contentType: 'image/svg+xml',
      url: expect.stringContaining('/logos/logo_'),
    });
    expect(environment!.logos.length).toBeLessThanOrEqual(4);
  });
});

describe('removing', () => {
  test('is shown beforehand, and done twice changes nothing the second time', async () => {
    const organizationId = await newOrganization('removed');
    const input = { organizationId, type: 'LIGHT' };
    await change('setOrganizationLogo', { ...input, contentBase64: GIF });
    const shown = await change('removeOrganizationLogo', { ...input, dryRun: true });
    expect(shown.preview!.rows).toEqual([{ kind: 'logos', deleted: 1 }]);
    const first = await change('removeOrganizationLogo', input);
    expect(first).toMatchObject({ organization: { logos: [] }, errors: [] });
    const before = await digestOfEverything(gatehouse);
    expect(await change('removeOrganizationLogo', input)).toEqual(first);
    expect(await digestOfEverything(gatehouse)).toBe(before);
  });

  test('of the organization, or of the environment, takes the pictures along', async () => {
    const organizationId = await newOrganization('gone');
    const { organization } = await change('setOrganizationLogo', { organizationId, type: 'LIGHT', contentBase64: GIF });
    const document = 'mutation ($input: DeleteOrganizationInput!) { deleteOrganization(input: $input) { deletedId } }';
    const { data } = await ask(gatehouse, owner, document, { input: { organizationId } });
    expect(data).toEqual({ deleteOrganization: { deletedId: organizationId } });
    expect((await fetch(organization!.logos[0]!.url)).status).toBe(404);

    const ctx = operator(gatehouse);
    const made = await createEnvironment(ctx, { businessId: world.businessId, name: 'Gone', domain: 'gone' });
    await setEnvironmentLogo(ctx, { environmentId: made.id, type: 'light', contentBase64: GIF });
    await deleteEnvironment(ctx, { environmentId: made.id, confirmation: 'Gone' });
    expect(await ctx.db.logo.count({ where: { environmentId: made.id } })).toBe(0);
  });
});
