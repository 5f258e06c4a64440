/** Whom a mail is from, and through which server it goes. */
import type { Db } from '../db/client.ts';
import type { Vault } from '../security/secrets.ts';
import type { Envelope, SmtpServer } from './smtp.ts';

/** What the password of an environment's sender is sealed for: in another environment's row it does not open. */
export function senderPurpose(environmentId: string): string {
  return `email sender ${environmentId}`;
}

/** The server of a sender; undefined for one that is only a name. */
export function serverOf(
  vault: Vault,
  sender: {
    readonly environmentId: string;
    readonly host: string | null;
    readonly port: number | null;
    readonly security: string | null;
    readonly username: string | null;
    readonly password: string | null;
  },
): SmtpServer | undefined {
  const { host, port, security, username, password } = sender;
  if (!host || !port || !username || !password) return undefined;
  return {
    ...{ host, port, username, security: security as SmtpServer['security'] },
    password: vault.open(senderPurpose(sender.environmentId), password),
  };
}

export interface Choice {
  readonly from: Envelope['from'];
  /** Undefined: the platform's. */
  readonly server: SmtpServer | undefined;
}

/**
 * Whom an environment's mail is from: the organization where it has a name or an address of its own, else the sender, else
 * the business by the platform's address. An address of its own takes a server of its own. Undefined where the
 * environment is no more.
 */
export async function chooseSender(
  parts: { readonly db: Db; readonly vault: Vault; readonly platformAddress: string },
  {
    environmentId,
    organizationId,
    senderId,
  }: { environmentId: string; organizationId?: string | null; senderId: string | null | 'present' },
): Promise<Choice | undefined> {
  const { db, vault, platformAddress } = parts;
  const environment = await db.environment.findUnique({
    where: { id: environmentId },
    select: {
      business: { select: { name: true } },
      emailSender: senderId === 'present',
      ...(senderId && senderId !== 'present' && { emailSenders: { where: { id: senderId } } }),
      ...(organizationId && {
        organizations: { where: { id: organizationId, isAdvanced: true }, select: { senderName: true, senderEmail: true } },
      }),
    },
  });
  if (!environment) return undefined;
  const sender = environment.emailSender ?? environment.emailSenders?.[0];
  const organization = environment.organizations?.[0];
  const server = sender && serverOf(vault, sender);
  return {
    from: {
      name: organization?.senderName ?? sender?.name ?? environment.business.name,
      address: server ? (organization?.senderEmail ?? sender.email!) : platformAddress,
    },
    server,
  };
}
