/** GraphiQL, outside production: a newcomer's first look at the graph, on a machine that need not reach any other. */
import { expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';
import { capturing, openBrowser } from '../helpers/browser.ts';
import { machineToken } from '../helpers/user-agent.ts';

const gatehouse = startApp();
const browser = openBrowser();

test('the graph can be read about and asked in a browser that reaches this server alone', async () => {
  const page = await browser.newPage();
  const problems = capturing(page);
  const elsewhere: string[] = [];
  page.on('request', (request) => {
    if (!/^(blob|data):/.test(request.url()) && !request.url().startsWith(gatehouse.baseUrl)) elsewhere.push(request.url());
  });
  await page.goto(`${gatehouse.baseUrl}/graphql`);
  await page.getByRole('button', { name: /Documentation Explorer/ }).click();
  await page.getByRole('link', { name: 'Mutation', exact: true }).click();
  await page.getByRole('link', { name: 'createOrganization', exact: true }).waitFor();

  await page.getByRole('button', { name: 'Headers' }).click();
  await page.locator('.monaco-editor[data-uri$="request-headers.json"]').click();
  await page.keyboard.insertText(JSON.stringify({ authorization: `Bearer ${await machineToken(gatehouse)}` }));
  await page.getByRole('button', { name: /Execute query/ }).click();
  await page.locator('.graphiql-response', { hasText: '"MACHINE"' }).waitFor();
  expect([...problems, ...elsewhere]).toEqual([]);
});
