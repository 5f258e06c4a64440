/**
 * Mail through a server that a business has named. Whatever it says, nothing is sent in the clear, to a certificate that
 * nobody vouches for, without authentication, or into this server's own network.
 */
import type { TransportOptions } from 'nodemailer';
import { connectToStranger, ForbiddenAddressError, type StrangerOptions } from '../security/strangers.ts';
import type { Mail } from './sender.ts';

export const SMTP_SECURITIES = ['starttls', 'implicit_tls'] as const;

export interface SmtpServer {
  readonly host: string;
  readonly port: number;
  readonly security: (typeof SMTP_SECURITIES)[number];
  readonly username: string;
  readonly password: string;
}

/** Why a mail was not taken. */
export const MAIL_FAILURES = {
  forbidden_address: 'The server is not on the public internet.',
  unreachable: 'The server did not answer as a mail server, or not in time.',
  tls: 'There was no encrypted connection, or the server’s certificate is not trusted.',
  authentication: 'The server did not take the user name and the password.',
  refused: 'The server refused the sender, the recipient or the mail itself.',
} as const;
export type MailFailure = keyof typeof MAIL_FAILURES;

/** Thrown where a mail was not taken. It holds nothing of what the server said, which may be somebody’s address. */
export class MailError extends Error {
  readonly failure: MailFailure;
  /** The server's reply code; undefined where it gave none. */
  readonly responseCode: number | undefined;

  constructor(failure: MailFailure, responseCode?: number) {
    super(MAIL_FAILURES[failure]);
    this.name = 'MailError';
    this.failure = failure;
    this.responseCode = responseCode;
  }

  /** Would the server say the same again (RFC 5321 §4.2.1)? */
  get isPermanent(): boolean {
    return this.failure === 'refused' && (this.responseCode ?? 0) >= 500;
  }
}

/** A mail with whom it is from. */
export interface Envelope extends Mail {
  readonly from: { readonly name: string; readonly address: string };
}

const TIMEOUT_MS = 20_000;

/** Sends one mail on a connection of its own, and notes in `transcript` what was said on it, the password left out.
 * @throws MailError */
export async function sendThrough(server: SmtpServer, mail: Envelope, options: StrangerOptions, transcript?: string[]): Promise<void> {
  const { host, port, security, username, password } = server;
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    host,
    port,
    secure: security === 'implicit_tls',
    requireTLS: true,
    auth: { user: username, pass: password },
    forceAuth: true,
    connectionTimeout: TIMEOUT_MS / 2,
    greetingTimeout: TIMEOUT_MS / 2,
    socketTimeout: TIMEOUT_MS / 2,
    maxResponseSize: 64 * 1024,
    ...(transcript && { transactionLog: true, logger: noting(transcript, server) }),
    getSocket: (_options: unknown, done: (error: Error | null, socket?: object) => void) => {
      connectToStranger(host, port, options).then((connection) => done(null, { connection }), done);
    },
  } as TransportOptions);
  try {
    await transport.sendMail({
      ...mail,
      disableFileAccess: true,
      disableUrlAccess: true,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    } as object);
  } catch (thrown) {
    const error = mailErrorOf(thrown);
    if (error.failure === 'tls') transcript?.push(`E: ${shown((thrown as Error).message, server)}`);
    throw error;
  } finally {
    transport.close();
  }
}

/** What went wrong, without what the server said. */
export function mailErrorOf(error: unknown): MailError {
  if (error instanceof ForbiddenAddressError) return new MailError('forbidden_address');
  const { code = '', originalCode = '', responseCode } = error as { code?: string; originalCode?: string; responseCode?: number };
  return new MailError(failureOf(code, originalCode), responseCode);
}

/** `originalCode` is that of Node.js, beneath nodemailer's. */
function failureOf(code: string, originalCode: string): MailFailure {
  if (code === 'EAUTH' || code === 'ENOAUTH') return 'authentication';
  if (code === 'EENVELOPE' || code === 'EMESSAGE') return 'refused';
  return /TLS|CERT|SIGNATURE|SSL|\bEPROTO\b/.test(`${code} ${originalCode}`) ? 'tls' : 'unreachable';
}

const MAX_LINES = 200;
const MAX_LINE = 500;

/** A logger that keeps what client (`C:`) and server (`S:`) said. */
function noting(transcript: string[], server: SmtpServer) {
  const ignore = () => {};
  const debug = ({ tnx }: { tnx?: string }, text: string) => {
    if (tnx !== 'client' && tnx !== 'server') return;
    for (const line of text.split(/\r?\n/))
      if (transcript.length < MAX_LINES) transcript.push(`${tnx === 'client' ? 'C' : 'S'}: ${shown(line, server)}`);
  };
  return { level: ignore, trace: ignore, debug, info: ignore, warn: ignore, error: ignore, fatal: ignore };
}

/** The line as it may be shown: without the password, however it was written, and without what a screen would obey. */
function shown(line: string, { username, password }: SmtpServer): string {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const secrets = [`\0${username}\0${password}`, `${username}\0${username}\0${password}`, password].flatMap((secret) => [
    base64(secret),
    secret,
  ]);
  const masked = [...secrets, base64(`\0${username}\0/* secret */`), base64('/* secret */')].reduce(
    (text, secret) => text.replaceAll(secret, '***'),
    line,
  );
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return masked.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '?').slice(0, MAX_LINE);
}
