/** The application as {@link startApp} has it, whose mails go to a real mail server, encrypted and signed in, and are read there. */
import { afterAll, expect } from 'vitest';
import type { DevelopmentMail } from '../../src/mail/mailbox.ts';
import { startApp, type TestApp } from './app.ts';
import { SINK_PASSWORD, SINK_USER, type SunkMail, startMailSink } from './mail-sink.ts';
import { waitFor } from './receiver.ts';

/** Starts both before the first test of the calling file, and closes them after the last. */
export async function startMailedApp(): Promise<TestApp> {
  const sink = await startMailSink({ secure: true });
  const login = `${encodeURIComponent(SINK_USER)}:${encodeURIComponent(SINK_PASSWORD)}`;
  const gatehouse = startApp({ SMTP_URL: `smtps://${login}@localhost:${sink.port}`, MAIL_FROM: 'Acme <no-reply@acme.test>' });
  afterAll(() => sink.close());
  const mail: Pick<TestApp, 'mailTo' | 'mailCount'> = {
    async mailTo(address, { after = 0 } = {}) {
      const newest = await waitFor(() => sink.mailsTo(address).slice(after).at(-1));
      expect(newest).toMatchObject({ isEncrypted: true, user: SINK_USER });
      return readMail(address, newest);
    },
    mailCount: async (address) => sink.mailsTo(address).length,
  };
  return Object.assign(Object.create(gatehouse) as TestApp, mail);
}

/** What a person reads of a mail who sees its text only. */
function readMail(to: string, { from, message }: SunkMail): DevelopmentMail {
  const [, boundary] = /boundary="([^"]+)"/.exec(message)!;
  const part = message.split(`--${boundary}`).find((each) => /^content-type: text\/plain/im.test(each))!;
  const [head = '', ...body] = part.trimStart().split('\r\n\r\n');
  const raw = body.join('\r\n\r\n');
  const text = /quoted-printable/i.test(head) ? unquoted(raw) : /base64/i.test(head) ? Buffer.from(raw, 'base64').toString() : raw;
  return { from, to, subject: '', text: text.replaceAll('\r\n', '\n'), html: '', sentAt: new Date() };
}

/** Text out of quoted-printable (RFC 2045 §6.7). */
function unquoted(text: string): string {
  const bytes = text.replaceAll('=\r\n', '').replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
