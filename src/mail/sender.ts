/**
 * Mail goes out as a job, written in the transaction that causes it and sealed until it is sent: a code is never
 * readable in the queue. What becomes of it is written down for the environment's admins, without what it says.
 * The platform's mail goes to SMTP_URL; without one (outside production) it lands in the development mailbox.
 */
import type { Logger } from 'pino';
import type { Database, Db } from '../db/client.ts';
import type { Attempt, JobQueue } from '../jobs/queue.ts';
import type { Clock } from '../kernel/clock.ts';
import { newId, sortableHex } from '../kernel/ids.ts';
import type { Vault } from '../security/secrets.ts';
import type { StrangerOptions } from '../security/strangers.ts';
import { chooseSender } from './choice.ts';
import { type Envelope, MailError, mailErrorOf, sendThrough } from './smtp.ts';

export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** What mail there is; what is `ofPlatform` is from the platform, whatever sender an environment has. */
export const MAIL_KINDS = {
  one_time_code: { ofPlatform: false, description: 'A code, to sign in with or to prove an address.' },
  organization_invitation: { ofPlatform: false, description: 'An invitation into an organization.' },
  team_invitation: { ofPlatform: true, description: 'An invitation to a business’s team.' },
  test: { ofPlatform: false, description: 'A test of the environment’s sender.' },
} as const satisfies Record<string, { ofPlatform: boolean; description: string }>;
export type MailKind = keyof typeof MAIL_KINDS;

/** Whose mail it is, which says whom it is from. */
export interface Posting {
  readonly kind: MailKind;
  readonly environmentId: string;
  /** Its sender's name and address come before the environment's. */
  readonly organizationId?: string | null;
  /** The sender that a running sign-in began with, null for the platform. Absent: the environment's, as it is when the mail is sent. */
  readonly senderId?: string | null;
}

/** What sending takes: parts of every service's context. */
interface Mailing {
  readonly db: Db;
  readonly vault: Vault;
  readonly jobs: JobQueue;
  readonly clock: Clock;
}

/** What a job carries, sealed. */
interface Sealed {
  readonly mail: Mail;
  readonly environmentId: string;
  readonly deliveryId: string;
  readonly organizationId: string | null;
  readonly senderId: string | null | 'present';
  readonly ofPlatform: boolean;
  /** Whether the environment's own server may be used. */
  readonly isCustom: boolean;
}

/** Puts a mail on its way; it leaves once the context's transaction has committed. */
export async function sendMail(ctx: Mailing, mail: Mail, posting: Posting): Promise<void> {
  const { kind, environmentId, organizationId = null, senderId = 'present' } = posting;
  const { ofPlatform } = MAIL_KINDS[kind];
  const isCustom = !ofPlatform && (await hasServer(ctx.db, environmentId, senderId));
  const deliveryId = newId('mailDelivery');
  await ctx.db.mailDelivery.create({
    data: { environmentId, id: deliveryId, kind, recipient: mail.to, isCustom, createdAt: ctx.clock.now() },
  });
  const job: Sealed = { mail, environmentId, deliveryId, organizationId, senderId, ofPlatform, isCustom };
  const data = { sealed: ctx.vault.seal('mail', JSON.stringify(job)) };
  if (isCustom) await ctx.jobs.enqueue(ctx.db, 'custom_mail', data, { group: environmentId });
  else await ctx.jobs.enqueue(ctx.db, 'mail', data);
}

/** Where the platform's mail goes out; no `smtpUrl` is the development mailbox. */
export interface MailSettings {
  readonly smtpUrl: string | undefined;
  readonly mailFrom: string;
}

/** Starts this process's share of sending. A slow server of one environment holds up nobody else's mail. */
export async function startMail(parts: {
  settings: MailSettings;
  strangers: StrangerOptions;
  database: Database;
  vault: Vault;
  jobs: JobQueue;
  clock: Clock;
  log: Logger;
}): Promise<{ close(): void }> {
  const { settings, strangers, database, vault, jobs, clock, log } = parts;
  const db = database.prisma;
  const platform = addressOf(settings.mailFrom);
  const transport = settings.smtpUrl ? (await import('nodemailer')).createTransport(settings.smtpUrl) : undefined;

  const sendByPlatform = async (mail: Envelope) => {
    if (transport) await transport.sendMail(mail);
    else await db.developmentMail.create({ data: { id: sortableHex(), ...mail, from: `${mail.from.name} <${mail.from.address}>` } });
  };

  const handle = async ({ sealed }: { sealed: string }, { isLast }: Attempt) => {
    const { mail, environmentId, deliveryId, ofPlatform, isCustom, ...whose } = JSON.parse(vault.open('mail', sealed)) as Sealed;
    const delivery = await db.mailDelivery.findUnique({ where: { environmentId_id: { environmentId, id: deliveryId } } });
    if (delivery?.status !== 'pending') return;
    const chosen = ofPlatform
      ? { from: platform, server: undefined }
      : await chooseSender({ db, vault, platformAddress: platform.address }, { environmentId, ...whose });
    if (!chosen) return;
    const note = (data: { status: string; failure: string | null; responseCode: number | null }) =>
      db.mailDelivery.updateMany({
        where: { environmentId, id: deliveryId },
        data: { ...data, attempts: { increment: 1 }, lastAttemptAt: clock.now() },
      });
    try {
      if (isCustom && chosen.server) await sendThrough(chosen.server, { ...mail, from: chosen.from }, strangers);
      else await sendByPlatform({ ...mail, from: chosen.from });
    } catch (thrown) {
      const error = thrown instanceof MailError ? thrown : mailErrorOf(thrown);
      const { failure, responseCode } = error;
      const isOver = isLast || error.isPermanent;
      await note({ status: isOver ? 'failed' : 'pending', failure, responseCode: responseCode ?? null });
      // Not the error itself: what a mail server answers may hold the address.
      log.warn({ failure, responseCode, mail: deliveryId }, isOver ? 'a mail was given up' : 'a mail was not sent; it will be tried again');
      if (error.isPermanent) return;
      throw error;
    }
    await note({ status: 'sent', failure: null, responseCode: null });
  };
  await jobs.work('mail', handle);
  await jobs.work('custom_mail', handle);
  return { close: () => transport?.close() };
}

/** Is there a server of the environment's own to send it through? */
async function hasServer(db: Db, environmentId: string, senderId: string | null | 'present'): Promise<boolean> {
  if (senderId === null) return false;
  const isCurrent = senderId === 'present' ? { currentOf: { isNot: null } } : { id: senderId };
  return (await db.emailSender.count({ where: { environmentId, ...isCurrent, host: { not: null } } })) > 0;
}

/** `Name <address>`, or an address alone. */
function addressOf(text: string): Envelope['from'] {
  const [, name = '', address = text] = /^\s*"?(.*?)"?\s*<([^<>]+)>\s*$/.exec(text) ?? [];
  return { name, address: address.trim() };
}
