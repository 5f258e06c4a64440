/** Tests of a sender before it is relied on: what is shown when it works, when it does not, and what is shown never. */
import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { resetEmailSender, updateEmailSender } from '../../src/features/email-senders/service.ts';
import { MAX_TESTS_PER_HOUR } from '../../src/features/email-senders/testing.ts';
import { senderPurpose } from '../../src/mail/choice.ts';
import { startApp } from '../helpers/app.ts';
import { ask } from '../helpers/graph.ts';
import { type MailSink, SINK_PASSWORD, startMailSink } from '../helpers/mail-sink.ts';
import { machineToken, teamToken } from '../helpers/user-agent.ts';
import { change, operator, seededEnvironment, serverAt } from './sending.ts';

const gatehouse = startApp();
let environmentId: string;
let sink: MailSink;
const sinks: MailSink[] = [];

beforeAll(async () => {
  environmentId = (await seededEnvironment(gatehouse)).id;
  sink = await start();
});
afterAll(() => Promise.all(sinks.map((each) => each.close())));

async function start(options: Parameters<typeof startMailSink>[0] = {}): Promise<MailSink> {
  const started = await startMailSink(options);
  sinks.push(started);
  return started;
}

interface Tested {
  errors: { code: string; path: string[] }[];
  test: { recipient: string; failure: string | null; responseCode: number | null; transcript: string[] } | null;
}

async function sendTest(input: object): Promise<Tested> {
  gatehouse.advance(3600); // So that no test here is one too many.
  const selection = 'errors { code path } test { recipient failure responseCode transcript }';
  return change<Tested>(gatehouse, 'sendTestEmail', { environmentId, ...input }, selection);
}

/** The password in every form in which a mail server is told it. */
const forms = (username = 'mailer', password = SINK_PASSWORD) =>
  [password, `\0${username}\0${password}`, `${username}\0${username}\0${password}`].flatMap((text) => [
    text,
    Buffer.from(text).toString('base64'),
  ]);

function expectNoPassword(text: string): void {
  for (const form of forms()) expect(text).not.toContain(form);
}

test('a test goes to whoever asks for it, before the sender is saved, and shows what was said without the password', async () => {
  const { errors, test: sent } = await sendTest({ ...serverAt(sink), name: 'Acme' });
  const { email } = gatehouse.quickstart.owner;
  expect({ errors, sent }).toMatchObject({ errors: [], sent: { recipient: email, failure: null, responseCode: null } });
  expect(sink.mailsTo(email)).toMatchObject([{ from: 'hello@acme.test', isEncrypted: true, user: 'mailer' }]);
  const { transcript } = sent!;
  expect(transcript[0]).toMatch(/^S: 220 /);
  for (const line of ['C: STARTTLS', 'C: AUTH PLAIN ***', 'C: MAIL FROM:<hello@acme.test>', `C: RCPT TO:<${email}>`, 'C: DATA'])
    expect(transcript.some((said) => said.startsWith(line))).toBe(true);
  expect(transcript.indexOf('C: STARTTLS')).toBeLessThan(transcript.indexOf('C: AUTH PLAIN ***'));
  expectNoPassword(transcript.join('\n'));
  expect((await seededEnvironment(gatehouse)).emailSenderId).toBeNull();
});

test.each(['PLAIN', 'LOGIN', 'CRAM-MD5'])(
  'by %s too the password is left out, though the server says it again in its answer',
  async (method) => {
    const echoing = await start({
      authMethods: [method],
      onAuth: (_auth, _session, done) => done(Object.assign(new Error(`No: ${forms().join(' ')} \u0007\u001b[31m`), { responseCode: 535 })),
    });
    const { test: failed } = await sendTest(serverAt(echoing));
    expect(failed).toMatchObject({ failure: 'AUTHENTICATION', responseCode: 535 });
    const said = failed!.transcript.join('\n');
    expect(said).toContain(`C: AUTH ${method}`);
    expect(said).toContain('S: 535 No: *** ***');
    expectNoPassword(said);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(said).not.toMatch(/[\u0007\u001b]/);
  },
);

test('a wrong password is told from what else can be wrong', async () => {
  const { errors, test: failed } = await sendTest({ ...serverAt(sink), password: 'not the password' });
  expect({ errors, failed }).toMatchObject({ errors: [], failed: { failure: 'AUTHENTICATION', responseCode: 535 } });
  expect(failed!.transcript.at(-1)).toMatch(/^S: 535 /);
  expect(failed!.transcript.join('\n')).not.toContain(Buffer.from('\0mailer\0not the password').toString('base64'));
});

test('a server that cannot encrypt is told neither the password nor the mail, and one with a certificate of nobody’s neither', async () => {
  const heard: string[] = [];
  const plain = await start({ hideSTARTTLS: true, disabledCommands: ['STARTTLS'], allowInsecureAuth: true });
  const unknown = await start({ isUntrusted: true });
  const untrusted = await start({ isUntrusted: true, secure: true });
  const elsewhere = await start();
  for (const [input, expected] of [
    [serverAt(plain), 'TLS'],
    [serverAt(unknown), 'TLS'],
    [{ ...serverAt(untrusted), security: 'IMPLICIT_TLS' }, 'TLS'],
    // The certificate is for localhost, and not for its address.
    [{ ...serverAt(elsewhere), host: '::1' }, 'TLS'],
    [{ ...serverAt(elsewhere), host: '127.0.0.1' }, 'TLS'],
  ] as const) {
    const { test: failed } = await sendTest(input);
    if (failed!.failure === 'UNREACHABLE' && 'host' in input && ['::1', '127.0.0.1'].includes(input.host)) continue; // Not in this machine's network.
    expect([input.host, failed!.failure]).toEqual([input.host, expected]);
    expect(failed!.transcript.at(-1)).toMatch(/^E: |^S: 5\d\d /);
    heard.push(...failed!.transcript);
  }
  expect(heard.filter((line) => /AUTH (PLAIN|LOGIN)|MAIL FROM/.test(line) && line.startsWith('C:'))).toEqual([]);
  for (const each of [plain, unknown, untrusted, elsewhere]) expect(each.received).toEqual([]);
});

test('a server that has no way to sign in gets no mail either', async () => {
  const open = await start({ authOptional: true, disabledCommands: ['AUTH'] });
  const { test: failed } = await sendTest(serverAt(open));
  expect(failed!.failure).toBe('AUTHENTICATION');
  expect(open.received).toEqual([]);
});

test('a refusal is told with the server’s code', async () => {
  sink.refuse(1, 550);
  const { test: failed } = await sendTest(serverAt(sink));
  expect(failed).toMatchObject({ failure: 'REFUSED', responseCode: 550 });
});

test('a port where nobody is, and one that speaks of something else or of nothing, are unreachable', async () => {
  const listening: Server[] = [];
  const listen = async (greet: (socket: Socket) => void) => {
    const server = createServer(greet).on('error', () => {});
    listening.push(server);
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
    return { port: (server.address() as { port: number }).port };
  };
  const sockets: Socket[] = [];
  const web = await listen((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'));
  const silent = await listen((socket) => void sockets.push(socket));
  try {
    for (const place of [{ port: 1 }, web, silent]) {
      const { test: failed } = await sendTest(serverAt(place));
      expect(failed).toMatchObject({ failure: 'UNREACHABLE' });
    }
  } finally {
    for (const socket of sockets) socket.destroy();
    for (const server of listening) server.close();
  }
});

test('a password is for the server that it was given with: nobody has it sent to another one', async () => {
  const ctx = operator(gatehouse);
  const thief = await start({ onAuth: ({ password }, _session, done) => done(new Error(String(password))) });
  await updateEmailSender(ctx, { environmentId, ...serverAt(sink) });
  for (const input of [{ port: thief.port }, { host: '127.0.0.1' }, { host: '127.0.0.1', port: thief.port, username: 'thief' }]) {
    const refused = [{ code: 'PASSWORD_REQUIRED', path: ['password'] }];
    expect((await sendTest(input)).errors).toEqual(refused);
    expect((await change(gatehouse, 'updateEmailSender', { environmentId, ...input })).errors).toEqual(refused);
  }
  // What else there is to change leaves it where it is.
  expect((await sendTest({ name: 'Other', email: 'other@acme.test' })).test).toMatchObject({ failure: null });
});

test('the sealed password of one environment does not open in another one', async () => {
  const ctx = operator(gatehouse);
  await updateEmailSender(ctx, { environmentId, ...serverAt(sink) });
  const { password } = await ctx.db.emailSender.findFirstOrThrow({ where: { environmentId, replacedAt: null } });
  expect(password).not.toContain(SINK_PASSWORD);
  expect(ctx.vault.open(senderPurpose(environmentId), password!)).toBe(SINK_PASSWORD);
  expect(() => ctx.vault.open(senderPurpose('env_other'), password!)).toThrow();
});

test('however many tests are asked for at once, so many an hour are sent and no more', async () => {
  gatehouse.advance(3600);
  const { email } = gatehouse.quickstart.owner;
  const before = sink.mailsTo(email).length;
  const token = await teamToken(gatehouse, email);
  const document = 'mutation ($input: SendTestEmailInput!) { sendTestEmail(input: $input) { errors { code } test { failure } } }';
  const answers = await Promise.all(
    Array.from({ length: MAX_TESTS_PER_HOUR + 5 }, () =>
      ask<{ sendTestEmail: Tested }, object>(gatehouse, token, document, { input: { environmentId, ...serverAt(sink) } }),
    ),
  );
  const codes = answers.map(({ data }) => data!.sendTestEmail.errors[0]?.code);
  expect(codes.filter((code) => code === 'TOO_MANY_TESTS')).toHaveLength(5);
  expect(sink.mailsTo(email).length - before).toBe(MAX_TESTS_PER_HOUR);
});

test('a machine is nobody whom a test could go to', async () => {
  const document = 'mutation ($input: SendTestEmailInput!) { sendTestEmail(input: $input) { errors { code } } }';
  const { errors } = await ask(gatehouse, await machineToken(gatehouse), document, { input: serverAt(sink) });
  expect(errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
});

test('the password is nowhere: not in the graph, the database, its queue or the log', async () => {
  const ctx = operator(gatehouse);
  gatehouse.app.infrastructure.log.level = 'trace';
  await updateEmailSender(ctx, { environmentId, ...serverAt(sink) });
  await sendTest(serverAt(sink));
  await sendTest({ ...serverAt(sink), email: 'nobody' });
  await sendTest({ ...serverAt(sink), port: 1 });
  const tables = await ctx.database.query<{ name: string }>(
    'every-table',
    `SELECT table_schema || '.' || table_name AS name FROM information_schema.tables WHERE table_schema IN ('public', 'pgboss') AND table_type = 'BASE TABLE'`,
    [],
  );
  expect(tables.map(({ name }) => name)).toEqual(expect.arrayContaining(['public.email_senders', 'public.audit_events', 'pgboss.job']));
  for (const { name } of tables) {
    const rows = await ctx.database.query<{ text: string | null }>(
      `all of ${name}`,
      `SELECT string_agg(t::text, ' ') AS text FROM ${name} t`,
      [],
    );
    expectNoPassword(rows[0]?.text ?? '');
  }
  expectNoPassword(gatehouse.log());
  const sender = await change<object>(
    gatehouse,
    'updateEmailSender',
    { environmentId, name: 'Acme' },
    'environment { emailSender { name email host port security username createdAt } }',
  );
  expect(sender).toMatchObject({ environment: { emailSender: { host: 'localhost', security: 'STARTTLS', username: 'mailer' } } });
  const { data } = await ask<{ __type: { fields: { name: string }[] } }, object>(
    gatehouse,
    await machineToken(gatehouse),
    '{ __type(name: "EmailSender") { fields { name } } }',
  );
  expect(data!.__type.fields.map(({ name }) => name).filter((name) => /pass|secret/i.test(name))).toEqual([]);
  await resetEmailSender(ctx, { environmentId });
});
