/** Mail over SMTP, to a real server in this process. */
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sendMail } from '../../src/mail/sender.ts';
import { codeMail, teamInvitationMail } from '../../src/mail/templates.ts';
import { freePort, startApp } from '../helpers/app.ts';
import { PAPER } from './sending.ts';

const port = await freePort();
const received: { from: string; to: string[]; user: string; message: string }[] = [];
let refusals = 0;
let sink: SMTPServer;

beforeAll(async () => {
  sink = new SMTPServer({
    allowInsecureAuth: true,
    hideSTARTTLS: true,
    onAuth: ({ username, password }, _session, done) =>
      password === 'sink password' ? done(null, { user: username }) : done(new Error('no')),
    onMailFrom: (_address, _session, done) =>
      refusals-- > 0 ? done(Object.assign(new Error('try later'), { responseCode: 451 })) : done(),
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        received.push({
          from: mailFrom ? mailFrom.address : '',
          to: rcptTo.map(({ address }) => address),
          user: String(session.user),
          message: Buffer.concat(chunks).toString(),
        });
        done();
      });
    },
  });
  await new Promise<void>((resolve) => sink.listen(port, 'localhost', resolve));
  expect((sink.server.address() as AddressInfo).port).toBe(port);
});
afterAll(() => new Promise<void>((resolve) => sink.close(resolve)));

const gatehouse = startApp({ SMTP_URL: `smtp://mailer:sink%20password@localhost:${port}`, MAIL_FROM: 'Acme <no-reply@acme.test>' });

async function send(mail: Parameters<typeof sendMail>[1]) {
  const { database, vault, jobs, clock } = gatehouse.app.infrastructure;
  const { id: environmentId } = await database.prisma.environment.findFirstOrThrow({ where: { isPrimary: true } });
  return sendMail({ db: database.prisma, vault, jobs, clock }, mail, { kind: 'one_time_code', environmentId });
}

test('a code is delivered with authentication, as text and as HTML, and not in the subject', async () => {
  await send(codeMail(PAPER, { to: 'jane@example.test', code: '123456', minutes: 120, applicationName: 'Acme <app>', purpose: 'sign_in' }));
  await expect.poll(() => received.length, { timeout: 10_000 }).toBe(1);
  const { from, to, user, message } = received[0]!;
  expect({ from, to, user }).toEqual({ from: 'no-reply@acme.test', to: ['jane@example.test'], user: 'mailer' });
  expect(message).toContain('text/plain');
  expect(message).toContain('text/html');
  expect(message).toContain('123456');
  expect(/^Subject: (.*)$/m.exec(message)?.[1]).not.toContain('123456');
  expect(message).toContain('Acme &lt;app&gt;');
});

test('a name puts no header into a mail, and nobody else on it', async () => {
  const applicationName = 'Acme\r\nBcc: evil@example.test\r\nContent-Type: text/plain\r\n\r\nhello';
  const mail = codeMail(PAPER, { to: 'eve@example.test', code: '123456', minutes: 120, applicationName, purpose: 'sign_in' });
  await send(mail);
  // Past the templates too.
  await send({ ...mail, to: 'eve2@example.test', subject: applicationName });
  const found = () => received.filter(({ to }) => to.some((address) => address.startsWith('eve')));
  await expect.poll(() => found().length, { timeout: 10_000 }).toBe(2);
  for (const { to, message } of found()) {
    expect(to).toHaveLength(1);
    const [headers = ''] = message.split('\r\n\r\n');
    expect(headers).not.toMatch(/^(bcc|cc):/im);
    expect(headers.match(/^content-type:.*/gim)).toEqual([expect.stringContaining('multipart/alternative')]);
  }
});

test('a server that refuses for now gets the mail later', async () => {
  refusals = 1;
  await send(teamInvitationMail(PAPER, { to: 'mark@example.test', businessName: 'Acme', link: 'https://example.test/invitation' }));
  await expect.poll(() => received.filter(({ to }) => to.includes('mark@example.test')).length, { timeout: 30_000 }).toBe(1);
});

test('with SMTP there is no mailbox to read', async () => {
  expect((await fetch(`${gatehouse.baseUrl}/dev/mailbox.json`)).status).toBe(404);
});

test('one address that is refused holds up no other mail', async () => {
  refusals = 1;
  const addresses = Array.from({ length: 25 }, (_, index) => `many.${index}@example.test`);
  await Promise.all(
    addresses.map((to) => send(teamInvitationMail(PAPER, { to, businessName: 'Acme', link: 'https://example.test/invitation' }))),
  );
  await expect
    .poll(() => addresses.filter((address) => received.some(({ to }) => to.includes(address))).length, { timeout: 30_000 })
    .toBe(25);
  expect(addresses.map((address) => received.filter(({ to }) => to.includes(address)).length)).toEqual(addresses.map(() => 1));
});
