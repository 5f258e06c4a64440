/**
 * Mail goes out as a job, written in the transaction that causes it and sealed until it is sent: a code is never
 * readable in the queue. Without SMTP_URL (outside production) it lands in the development mailbox.
 */
import nodemailer from 'nodemailer';
import type { Logger } from 'pino';
import type { Database, Db } from '../db/client.ts';
import type { JobQueue } from '../jobs/queue.ts';
import { sortableHex } from '../kernel/ids.ts';
import type { Vault } from '../security/secrets.ts';

export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** What sending takes: parts of every service's context. */
interface Mailing {
  readonly db: Db;
  readonly vault: Vault;
  readonly jobs: JobQueue;
}

/** Puts a mail on its way; it leaves once the context's transaction has committed. */
export async function sendMail(ctx: Mailing, mail: Mail): Promise<void> {
  await ctx.jobs.enqueue(ctx.db, 'mail', { sealed: ctx.vault.seal('mail', JSON.stringify(mail)) });
}

/** Where mail goes out; no `smtpUrl` is the development mailbox. */
export interface MailSettings {
  readonly smtpUrl: string | undefined;
  readonly mailFrom: string;
}

/** Starts this process's share of sending. */
export async function startMail(parts: {
  settings: MailSettings;
  database: Database;
  vault: Vault;
  jobs: JobQueue;
  log: Logger;
}): Promise<{ close(): void }> {
  const { settings, database, vault, jobs, log } = parts;
  const transport = settings.smtpUrl ? nodemailer.createTransport(settings.smtpUrl) : undefined;
  await jobs.work('mail', async ({ sealed }, { isLast }) => {
    const mail = JSON.parse(vault.open('mail', sealed)) as Mail;
    if (!transport) {
      await database.prisma.developmentMail.create({ data: { id: sortableHex(), from: settings.mailFrom, ...mail } });
      return;
    }
    try {
      await transport.sendMail({ from: settings.mailFrom, ...mail });
    } catch (error) {
      // Not the error itself: what a mail server answers may hold the address.
      const { code, responseCode, command } = error as { code?: string; responseCode?: number; command?: string };
      log.warn(
        { code, responseCode, command, subject: mail.subject },
        isLast ? 'a mail was given up' : 'a mail was not sent; it will be tried again',
      );
      throw new Error('The mail was not sent.');
    }
  });
  return { close: () => transport?.close() };
}
