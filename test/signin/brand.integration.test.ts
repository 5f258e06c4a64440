/** An environment's brand, changed in the graph, is what its pages look like; an organization's stands in its place. */
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { GIF, SVG } from '../graphql/cases/logos.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { teamToken, userAgent } from '../helpers/user-agent.ts';
import { organization, productionEnvironment, requestOf } from './person.ts';

const gatehouse = startApp();
let token: string;
let environmentId: string;

beforeAll(async () => {
  const { id, businessId } = await productionEnvironment(gatehouse);
  environmentId = id;
  await gatehouse.app.infrastructure.database.prisma.business.update({ where: { id: businessId }, data: { plan: 'pro' } });
  token = await teamToken(gatehouse, gatehouse.quickstart.owner.email);
});
beforeEach(() => change('resetEnvironmentBrand', {}));

interface Answer {
  readonly errors: readonly { readonly message: string }[];
}
async function run(mutation: string, input: object): Promise<Answer> {
  const type = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input`;
  const document = `mutation ($input: ${type}!) { ${mutation}(input: $input) { errors { message } } }`;
  const { data, errors } = await ask<Record<string, Answer>, object>(gatehouse, token, document, { input });
  expect(errors).toEqual([]);
  return data![mutation]!;
}
async function change(mutation: string, input: object): Promise<void> {
  expect((await run(mutation, { environmentId, ...input })).errors).toEqual([]);
}

/** The first page, and the brand's stylesheet that it names. */
async function look(parameters: Record<string, string> = {}, agent = userAgent(gatehouse.baseUrl)) {
  const page = await agent.open(requestOf(gatehouse, 'spa', parameters).url);
  const sheets = [...page.html.matchAll(/<link rel="stylesheet" href="([^"]+)">/g)].map(([, href]) => href!.replaceAll('&amp;', '&'));
  const brand = sheets.find((href) => href.includes('/brand.css'));
  const sheet = brand ? await fetch(new URL(brand, page.url)) : undefined;
  return { page, html: page.html, sheets, brand, sheet, css: (await sheet?.text()) ?? '' };
}

test('where nothing is customised a page has one stylesheet, and no brand of its own', async () => {
  const { sheets, html, page } = await look();
  expect(sheets).toEqual(['/assets/gatehouse.css']);
  expect(html).not.toMatch(/<style|style=|class="logo"/);
  expect(page.headers.get('content-security-policy')).toContain("style-src 'self';");
  expect((await fetch(`${gatehouse.baseUrl}/brand.css`)).status).toBe(404);
});

test('colours, shapes and custom CSS come in one more stylesheet, which is kept for ever under its address', async () => {
  await change('updateEnvironmentBrand', {
    lightColors: { background: '#102030', button: '#ffdd00' },
    cardRadius: 0,
    alignment: 'END',
    isBadgeHidden: true,
    customCss: '.card { letter-spacing: 0.01em }',
  });
  const { css, sheet, html, brand, page } = await look();
  expect(css).toContain('--page:#102030');
  expect(css).toContain('--button:#ffdd00;--on-button:#000000');
  expect(css).toContain(':root{--card-radius:0px;--align:flex-end}');
  expect(css).toMatch(/\.card \{ letter-spacing: 0\.01em \}$/);
  expect(html).not.toContain('<footer>');
  expect(sheet!.headers.get('cache-control')).toContain('immutable');
  expect(sheet!.headers.get('content-type')).toBe('text/css; charset=utf-8');
  expect(page.headers.get('content-security-policy')).not.toContain('unsafe');

  await change('updateEnvironmentBrand', { cardRadius: 4 });
  const next = await look();
  expect(next.brand).not.toBe(brand);
  const outdated = await fetch(new URL(brand!, page.url));
  expect([outdated.headers.get('cache-control'), await outdated.text()]).toEqual(['no-store', next.css]);
});

test('a theme is the same for everybody, or as the device says', async () => {
  await change('updateEnvironmentBrand', { theme: 'DARK' });
  expect((await look()).css).toMatch(/^:root\{color-scheme:dark;--page:#111116;/);
  await change('updateEnvironmentBrand', { theme: null, darkColors: { card: '#003300' } });
  const { css } = await look();
  expect(css).toContain('@media (prefers-color-scheme:dark){:root{');
  expect(css).not.toContain('color-scheme:dark;');
});

describe('pictures', () => {
  test('are the logo, which leads to the application’s homepage, the icons and what is behind the page', async () => {
    for (const [type, contentBase64] of Object.entries({ LIGHT: GIF, DARK: SVG, FAVICON_SVG: SVG, FAVICON_FALLBACK: GIF, BACKGROUND: GIF }))
      await change('setEnvironmentLogo', { type, contentBase64 });
    const { prisma } = gatehouse.app.infrastructure.database;
    const business = await prisma.business.findFirstOrThrow({ where: { environments: { some: { id: environmentId } } } });
    const logos = Object.fromEntries((await prisma.logo.findMany()).map(({ type, id }) => [type, `/logos/${id}`]));
    const { html, css } = await look();
    expect(html).toContain(
      `<source srcset="${logos['dark']}" media="(prefers-color-scheme: dark)"><img src="${logos['light']}" alt="${business.name}">`,
    );
    expect(html).toContain(
      `<link rel="icon" href="${logos['favicon_svg']}" type="image/svg+xml"><link rel="icon" href="${logos['favicon_fallback']}" type="image/gif">`,
    );
    expect(html).not.toContain('assets/icon.svg');
    expect(css).toContain(`background-image:url(${logos['background']!.slice(1)})`);
    expect(html).not.toMatch(/<p class="logo"><a/);
    const { clientId } = gatehouse.application('spa');
    await run('updateApplication', { applicationId: `app_${clientId}`, homepageUri: 'https://home.test/?a="b' });
    expect((await look()).html).toContain('<p class="logo"><a href="https://home.test/?a=&quot;b"><picture>');
    expect((await fetch(`${gatehouse.baseUrl}${logos['light']}`)).status).toBe(200);
  });

  test('go with the look that is reset', async () => {
    await change('setEnvironmentLogo', { type: 'LIGHT', contentBase64: GIF });
    expect((await look()).html).toContain('class="logo"');
    await change('resetEnvironmentBrand', {});
    expect((await look()).html).not.toContain('class="logo"');
  });
});

describe('an organization', () => {
  test('has what it has of its own on the pages of sign-ins to it, and on no others', async () => {
    const organizationId = await organization(gatehouse, 'Acme </title><script>"', { isOpen: true });
    await change('updateEnvironmentBrand', { lightColors: { background: '#101010', link: '#003366' } });
    await run('updateOrganizationBrand', { organizationId, theme: 'LIGHT', lightColors: { background: '#202020' } });
    const own = await look({ org_code: organizationId });
    expect(own.css).toMatch(/^:root\{color-scheme:light;--page:#202020;.*--accent:#003366;/);
    expect(own.html).toMatch(/<p class="logo">(<a [^>]*>)?<bdi>Acme &lt;\/title&gt;&lt;script&gt;&quot;<\/bdi>/);
    expect((await look()).css).toContain('--page:#101010');
    expect((await look()).html).not.toContain('Acme &lt;');

    await change('setEnvironmentLogo', { type: 'LIGHT', contentBase64: GIF });
    expect((await look({ org_code: organizationId })).html).toContain('alt="Acme &lt;/title&gt;');
    await run('setOrganizationLogo', { organizationId, type: 'LIGHT', contentBase64: SVG });
    const { id } = await gatehouse.app.infrastructure.database.prisma.logo.findFirstOrThrow({ where: { organizationId } });
    expect((await look({ org_code: organizationId })).html).toContain(`<img src="/logos/${id}"`);
  });

  test('that is not there, or is another environment’s, is as none', async () => {
    const { prisma } = gatehouse.app.infrastructure.database;
    const elsewhere = await prisma.environment.findFirstOrThrow({ where: { kind: 'non_production' } });
    const id = `org_${'f'.repeat(32)}`;
    await prisma.organization.create({ data: { environmentId: elsewhere.id, id, name: 'Elsewhere', theme: 'dark' } });
    await change('updateEnvironmentBrand', { cardRadius: 3 });
    const plain = await (await fetch(`${gatehouse.baseUrl}/brand.css`)).text();
    for (const organizationId of [id, `org_${'0'.repeat(32)}`, '../x'])
      expect(await (await fetch(`${gatehouse.baseUrl}/brand.css?organization=${organizationId}`)).text()).toBe(plain);
  });
});

test('a brand that is known takes no statement', async () => {
  await change('updateEnvironmentBrand', { cardRadius: 3 });
  const { database, lookups } = gatehouse.app.infrastructure;
  const environments = database.prisma.environment as unknown as { findUnique: (args: object) => unknown };
  const find = environments.findUnique;
  let asked = 0;
  environments.findUnique = (args) => {
    asked++;
    return find(args);
  };
  try {
    await vi.waitFor(async () => {
      const known = asked;
      await look();
      expect(asked).toBe(known); // The database has told of the change by then.
    });
    const before = asked;
    await look();
    expect(asked).toBe(before);
    lookups.forget(environmentId);
    await look();
    expect(asked).toBe(before + 1);
  } finally {
    environments.findUnique = find;
  }
});
