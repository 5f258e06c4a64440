/** Texts through Twilio's API, as a server in this process that keeps to it. */
import { createServer } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createContext } from '../../src/features/context.ts';
import { updatePhoneSender } from '../../src/features/phone-senders/service.ts';
import { sendText } from '../../src/phone/sender.ts';
import { freePort, startApp } from '../helpers/app.ts';
import { waitFor } from '../helpers/receiver.ts';
import { productionEnvironment } from '../signin/person.ts';

const ACCOUNT = `AC${'0a'.repeat(16)}`;
const SERVICE = `MG${'0b'.repeat(16)}`;
const TOKEN = 'f0'.repeat(16);
const messages: Record<string, string>[] = [];

const port = await freePort();
const twilio = createServer((request, response) => {
  let body = '';
  request.on('data', (part) => (body += part));
  request.on('end', () => {
    const form = Object.fromEntries(new URLSearchParams(body));
    const isKnown = request.headers.authorization === `Basic ${Buffer.from(`${ACCOUNT}:${TOKEN}`).toString('base64')}`;
    const isRight = request.method === 'POST' && request.url === `/2010-04-01/Accounts/${ACCOUNT}/Messages.json`;
    if (!isRight) return response.writeHead(404).end();
    if (!isKnown) return response.writeHead(401).end();
    if (!form['To'] || !form['Body'] || !(form['From'] ?? form['MessagingServiceSid'])) return response.writeHead(400).end();
    messages.push(form);
    return response.writeHead(201, { 'content-type': 'application/json' }).end('{"status":"queued"}');
  });
});
beforeAll(() => new Promise<void>((done) => twilio.listen(port, 'localhost', done)));
afterAll(() => void twilio.close().closeAllConnections());

const gatehouse = startApp({ TWILIO_URL: `http://localhost:${port}` });

test('a text goes by the account, from a number or a messaging service; a wrong token is told to the admin', async () => {
  const ctx = createContext(gatehouse.app.infrastructure, { kind: 'system', name: 'test' });
  const { id: environmentId } = await productionEnvironment(gatehouse);
  const use = (from: string, authToken = TOKEN) =>
    updatePhoneSender(ctx, { environmentId, provider: 'twilio', accountSid: ACCOUNT, authToken, from });
  const send = (to: string) => sendText(ctx, { environmentId, to, text: 'Hello & welcome' });
  const sender = () => ctx.db.phoneSender.findUniqueOrThrow({ where: { environmentId } });

  await use('+61255500100');
  await send('+61491570006');
  await waitFor(async () => (await sender()).lastSentAt ?? undefined);
  await use(SERVICE);
  await send('+61491570156');
  await waitFor(() => messages[1]);
  expect(messages).toEqual([
    { To: '+61491570006', Body: 'Hello & welcome', From: '+61255500100' },
    { To: '+61491570156', Body: 'Hello & welcome', MessagingServiceSid: SERVICE },
  ]);

  await use(SERVICE, 'e0'.repeat(16));
  await send('+61491570157');
  await waitFor(async () => ((await sender()).lastFailure === 'authentication' ? true : undefined));
  expect(messages).toHaveLength(2);
});
