/**
 * Chromium for the browser tests: one browser for a file of tests, a fresh context (no cookies, no cache) for each
 * test.
 */
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { CHROMIUM } from './programs.ts';

export interface TestBrowser {
  /** Opens a page in a context of its own, which is closed when the test that called has finished. */
  newPage(options?: BrowserContextOptions): Promise<Page>;
}

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Opens the browser before the first test of the calling file, and closes it after the last. */
export function openBrowser(): TestBrowser {
  let browser: Browser;
  beforeAll(async () => {
    const executablePath = CHROMIUM.find();
    if (!executablePath) throw new Error(CHROMIUM.remedy);
    browser = await chromium.launch({ executablePath, headless: true, args: FLAGS });
  });
  afterAll(() => browser?.close());
  return {
    newPage: async (options) => {
      const context = await browser.newContext(options);
      onTestFinished(() => context.close());
      return context.newPage();
    },
  };
}

/**
 * Collects what goes wrong on `page` from now on: errors on its console, scripts that throw, requests that fail. A
 * test ends with `expect(problems).toEqual([])`.
 */
export function capturing(page: Page): readonly string[] {
  const problems: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(`console: ${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', (error) => problems.push(`script: ${error.message}`));
  page.on('requestfailed', (request) => {
    const reason = request.failure()?.errorText;
    // A request that the page gave up on itself, as when it navigates away.
    if (reason !== 'net::ERR_ABORTED') problems.push(`request: ${request.method()} ${request.url()} ${reason}`);
  });
  return problems;
}
