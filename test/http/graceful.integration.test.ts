/** Stopping: what was begun is finished first. */
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { startApp } from '../helpers/app.ts';

const gatehouse = startApp();

test('a request that is in flight when the server stops is answered, and no new one is taken', async () => {
  const { clientId, clientSecret } = gatehouse.application('m2m');
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: clientSecret!,
    audience: 'https://api.acme.test',
  });
  const body = form.toString();
  const { port } = new URL(gatehouse.baseUrl);
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': Buffer.byteLength(body),
    expect: '100-continue',
  };
  const sent = httpRequest({ host: 'localhost', port, path: '/oauth2/token', method: 'POST', headers });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    sent.on('response', resolve).on('error', reject);
  });
  sent.flushHeaders();
  await new Promise((resolve) => sent.once('continue', resolve)); // The server has read the headers and waits for the body.

  let isClosed = false;
  const closed = gatehouse.app.close().then(() => {
    isClosed = true;
  });
  await expect
    .poll(() =>
      fetch(`${gatehouse.baseUrl}/healthz`).then(
        () => 'taken',
        () => 'refused',
      ),
    )
    .toBe('refused');
  expect(isClosed).toBe(false);

  sent.end(body);
  const response = await answered;
  let text = '';
  for await (const part of response.setEncoding('utf8')) text += part;
  expect(response.headers.connection).toBe('close');
  expect([response.statusCode, JSON.parse(text)]).toEqual([200, expect.objectContaining({ token_type: 'bearer' })]);
  await closed;
});

describe('who sends half a request and no more', () => {
  const held = startApp();

  test('does not keep the server up, whoever would have answered', async () => {
    const { port } = new URL(held.baseUrl);
    const form = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '100', expect: '100-continue' };
    const halves = [{}, { cookie: 'a=b' }].map((more) =>
      httpRequest({ host: 'localhost', port, path: '/oauth2/token', method: 'POST', headers: { ...form, ...more }, agent: false }),
    );
    const cuts = halves.map((sent) => new Promise((resolve) => sent.on('error', resolve)));
    for (const sent of halves) sent.flushHeaders();
    await Promise.all(halves.map((sent) => once(sent, 'continue')));
    await held.app.close();
    for (const cut of cuts) expect(await cut).toMatchObject({ code: 'ECONNRESET' });
  });
});

test('stopping twice is stopping once', async () => {
  await gatehouse.app.close();
});
