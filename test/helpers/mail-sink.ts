/** A real mail server with TLS and authentication, whose certificate is vouched for by an authority that tests can trust. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export const SINK_USER = 'mailer';
export const SINK_PASSWORD = 'S3cret & "quoted" pass';

export interface SunkMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly user: string;
  readonly isEncrypted: boolean;
  /** Headers and body as they came. */
  readonly message: string;
}

export interface MailSink {
  readonly port: number;
  readonly received: SunkMail[];
  /** Refuses so many mails with this code at MAIL FROM. */
  refuse(times: number, responseCode: number): void;
  mailsTo(address: string): SunkMail[];
  close(): Promise<void>;
}

interface Certificate {
  readonly key: string;
  readonly cert: string;
}

let authority: { readonly ca: string; readonly localhost: Certificate } | undefined;

/** Starts a mail server on a port of this machine, a free one unless it is named. Its certificate is trusted by this process, unless it `isUntrusted`. */
export async function startMailSink(options: SMTPServerOptions & { isUntrusted?: boolean } = {}, port = 0): Promise<MailSink> {
  const { isUntrusted, ...more } = options;
  authority ??= makeAuthority();
  const { key, cert } = isUntrusted ? makeAuthority().localhost : authority.localhost;
  const received: SunkMail[] = [];
  let refusals = { times: 0, responseCode: 451 };
  const server = new SMTPServer({
    ...{ key, cert },
    onAuth: ({ username, password }, _session, done) =>
      username === SINK_USER && password === SINK_PASSWORD
        ? done(null, { user: username })
        : done(Object.assign(new Error('Invalid login'), { responseCode: 535 })),
    onMailFrom: (_address, _session, done) => {
      if (refusals.times-- <= 0) return done();
      done(Object.assign(new Error('Not now'), { responseCode: refusals.responseCode }));
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        received.push({
          from: mailFrom ? mailFrom.address : '',
          to: rcptTo.map(({ address }) => address),
          user: String(session.user ?? ''),
          isEncrypted: session.secure,
          message: Buffer.concat(chunks).toString(),
        });
        done();
      });
    },
    ...more,
  });
  server.on('error', () => {}); // A client that does not trust it goes away in the middle.
  await new Promise<void>((resolve) => server.listen(port, 'localhost', resolve));
  server.server.unref();
  return {
    port: (server.server.address() as AddressInfo).port,
    received,
    refuse: (times, responseCode) => {
      refusals = { times, responseCode };
    },
    mailsTo: (address) => received.filter(({ to }) => to.includes(address)),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Makes an authority and a certificate of it for `localhost`; the first one is trusted. */
function makeAuthority(): { ca: string; localhost: Certificate } {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-ca-'));
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' });
  const read = (file: string) => readFileSync(join(directory, file), 'utf8');
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  try {
    openssl('req', '-x509', ...newKey, '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=Test authority');
    const ofAuthority = [
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-addext',
      'subjectAltName=DNS:localhost',
      '-addext',
      'basicConstraints=CA:FALSE',
    ];
    openssl('req', '-x509', ...newKey, ...ofAuthority, '-keyout', 'localhost.key', '-out', 'localhost.crt', '-subj', '/CN=localhost');
    const ca = read('ca.crt');
    if (!authority) setDefaultCACertificates([...getCACertificates('default'), ca]);
    return { ca, localhost: { key: read('localhost.key'), cert: read('localhost.crt') } };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
