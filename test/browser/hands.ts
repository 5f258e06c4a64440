/** How people fill the hosted pages in who have no mouse, or no JavaScript, at an application that takes them back. */
import { createServer } from 'node:http';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, expect } from 'vitest';
import { freePort } from '../helpers/app.ts';

export interface Hands {
  type(name: string, text: string): Promise<void>;
  /** Picks the option that begins with this text. */
  pick(name: string, text: string): Promise<void>;
  /** Ticks the box. */
  tick(name: string): Promise<void>;
  /** Presses the button with this text. */
  press(label: string): Promise<void>;
}

interface Way {
  readonly options: BrowserContextOptions;
  readonly of: (page: Page) => Hands;
}

/** Goes on to the next thing that takes the keyboard until it is `wanted`, as whoever sees where the focus is. */
async function tabTo(page: Page, wanted: { name?: string; label?: string }): Promise<void> {
  for (let presses = 0; presses < 40; presses++) {
    const focused = await page.evaluate(() => {
      const element = document.activeElement as HTMLInputElement | HTMLButtonElement;
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      return { name: element.name, label: element.textContent?.trim(), outline: `${outlineStyle} ${outlineWidth}` };
    });
    if ((wanted.name && focused.name === wanted.name) || (wanted.label && focused.label === wanted.label)) {
      expect(focused.outline).not.toMatch(/^none|\b0px/);
      return;
    }
    await page.keyboard.press('Tab');
  }
  throw new Error(`The keyboard does not come to ${JSON.stringify(wanted)}.`);
}

export const HANDS: Readonly<Record<string, Way>> = {
  'with the keyboard alone': {
    options: {},
    of: (page) => ({
      type: async (name, text) => {
        await tabTo(page, { name });
        await page.keyboard.press('Control+A');
        await page.keyboard.type(text);
      },
      pick: async (name, text) => {
        await tabTo(page, { name });
        await page.keyboard.type(text);
      },
      tick: async (name) => {
        await tabTo(page, { name });
        await page.keyboard.press('Space');
        expect(await page.isChecked(`[name=${name}]`)).toBe(true);
      },
      press: async (label) => {
        await tabTo(page, { label });
        await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
      },
    }),
  },
  'without JavaScript': {
    options: { javaScriptEnabled: false },
    of: (page) => ({
      type: (name, text) => page.fill(`[name=${name}]`, text),
      pick: async (name, text) => {
        const option = page.locator(`[name=${name}] option`, { hasText: new RegExp(`^${text}`) });
        await page.selectOption(`[name=${name}]`, await option.first().getAttribute('value'));
      },
      tick: (name) => page.check(`[name=${name}]`),
      press: (label) => page.getByRole('button', { name: label, exact: true }).click(),
    }),
  },
};

/** An application for the calling file of tests: a server of its own, because a browser's redirects go past anything that stands in for one. */
export async function startApplication(): Promise<{ readonly callback: string; arrives(page: Page): Promise<void> }> {
  const port = await freePort();
  const callback = `http://localhost:${port}/callback`;
  const server = createServer((_request, response) =>
    response.setHeader('content-type', 'text/html').end('<!doctype html><link rel="icon" href="data:,"><title>application</title>'),
  ).listen(port, 'localhost');
  afterAll(() => void server.close());
  return {
    callback,
    async arrives(page) {
      await page.waitForURL(`${callback}?*`);
      expect(new URL(page.url()).searchParams.get('code')).toBeTruthy();
    },
  };
}
