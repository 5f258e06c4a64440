/**
 * Texts to phones go out as jobs, written in the transaction that causes them and sealed until they are sent, through the
 * environment's own provider. Where it has none they land in the development mailbox, if there is one.
 */
import type { Logger } from 'pino';
import type { Database, Db } from '../db/client.ts';
import type { PhoneSender } from '../db/generated/client/client.ts';
import type { JobQueue } from '../jobs/queue.ts';
import { type Clock, epochSeconds } from '../kernel/clock.ts';
import { sortableHex } from '../kernel/ids.ts';
import type { Vault } from '../security/secrets.ts';
import { sendThroughTwilio, sendThroughWebhook, type Text, TextError } from './providers.ts';

/** What sending takes: parts of every service's context. */
interface Texting {
  readonly db: Db;
  readonly vault: Vault;
  readonly jobs: JobQueue;
}

/** What a job carries, sealed. */
interface Sealed extends Text {
  /** The same for each try. */
  readonly id: string;
  readonly environmentId: string;
}

/** What the secret of an environment's sender is sealed for: in another environment's row it does not open. */
export function phoneSenderPurpose(environmentId: string): string {
  return `phone sender ${environmentId}`;
}

/** Puts a text on its way; it leaves once the context's transaction has committed. */
export async function sendText(ctx: Texting, text: Text & { readonly environmentId: string }): Promise<void> {
  const job: Sealed = { ...text, id: `text_${sortableHex()}` };
  await ctx.jobs.enqueue(ctx.db, 'text', { sealed: ctx.vault.seal('text', JSON.stringify(job)) }, { group: text.environmentId });
}

/** Starts this process's share of sending. A slow provider of one environment holds up nobody else's texts.
 * @param parts.settings where Twilio is, and whether there is a development mailbox */
export async function startTexts(parts: {
  settings: { readonly twilioUrl: string; readonly production: boolean; readonly smtpUrl: string | undefined };
  database: Database;
  vault: Vault;
  jobs: JobQueue;
  clock: Clock;
  log: Logger;
}): Promise<void> {
  const { settings, database, vault, jobs, clock, log } = parts;
  const db = database.prisma;

  const send = ({ environmentId, provider, accountSid, from, url, secret }: PhoneSender, { id, to, text }: Sealed) => {
    const opened = vault.open(phoneSenderPurpose(environmentId), secret);
    return provider === 'twilio'
      ? sendThroughTwilio(settings.twilioUrl, { accountSid: accountSid!, from: from!, authToken: opened }, { to, text })
      : sendThroughWebhook(
          { url: url!, secret: opened },
          { to, text },
          { id, seconds: epochSeconds(clock.now()) },
          { allowLoopback: !settings.production },
        );
  };

  await jobs.work('text', async ({ sealed }, { isLast }) => {
    const job = JSON.parse(vault.open('text', sealed)) as Sealed;
    const { environmentId, id, to, text } = job;
    const sender = await db.phoneSender.findUnique({ where: { environmentId } });
    if (!sender) {
      if (hasMailbox(settings)) await db.developmentMail.create({ data: { id: sortableHex(), from: '', to, subject: '', text, html: '' } });
      else log.warn({ text: id, environmentId }, 'a text was given up: the environment has no provider');
      return;
    }
    try {
      await send(sender, job);
    } catch (error) {
      if (!(error instanceof TextError)) throw error;
      const { failure, isPermanent } = error;
      await db.phoneSender.updateMany({ where: { environmentId }, data: { lastFailedAt: clock.now(), lastFailure: failure } });
      log.warn(
        { failure, text: id, environmentId },
        isLast || isPermanent ? 'a text was given up' : 'a text was not sent; it will be tried again',
      );
      if (isPermanent) return;
      throw error;
    }
    await db.phoneSender.updateMany({ where: { environmentId }, data: { lastSentAt: clock.now() } });
  });
}

/** Is there a development mailbox, which takes what nobody else sends? */
export function hasMailbox({ production, smtpUrl }: { readonly production: boolean; readonly smtpUrl: string | undefined }): boolean {
  return !production && !smtpUrl;
}
