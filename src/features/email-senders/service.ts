/**
 * Whom an environment's mail is from: a name, and with it a mail server of the business's own. A change makes a new row
 * and leaves the old one to the sign-ins that began with it, until none of them can be running; nobody reads a password.
 */
import { isIP } from 'node:net';
import type { EmailSender, Environment } from '../../db/generated/client/client.ts';
import { ALL_ENVIRONMENTS } from '../../db/lookups.ts';
import { later } from '../../kernel/clock.ts';
import { InvalidInputError } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { senderPurpose } from '../../mail/choice.ts';
import type { SmtpServer } from '../../mail/smtp.ts';
import { isAllowed, type StrangerOptions } from '../../security/strangers.ts';
import { audit } from '../audit/service.ts';
import { action, atVersion, type Context, environmentScope, type Infrastructure, NEXT_VERSION } from '../context.ts';
import { changedOptionalText, isDomain, requireEmail, requireText } from '../text.ts';

/** Seconds that a sender is kept after it was replaced: longer than a sign-in, and its last mail's tries, can last. */
export const KEPT_SECONDS = 2 * 3600;

/** What is asked of a sender, each absent where it is to stay. */
export interface EmailSenderInput {
  readonly environmentId?: string | null | undefined;
  readonly name?: string | null | undefined;
  readonly email?: string | null | undefined;
  readonly host?: string | null | undefined;
  readonly port?: number | null | undefined;
  readonly security?: SmtpServer['security'] | null | undefined;
  readonly username?: string | null | undefined;
  readonly password?: string | null | undefined;
}

export interface UpdateEmailSenderInput extends EmailSenderInput {
  readonly expectedVersion?: number | null | undefined;
}

/** Changes an environment's sender. Sign-ins that are running keep the one that they began with.
 * @throws InvalidInputError REQUIRED, TOO_LONG, INVALID_TEXT, INVALID_EMAIL, INVALID_HOST, INVALID_PORT, PASSWORD_REQUIRED or CONFLICT */
export const updateEmailSender = action({
  permission: 'update:smtp_sender',
  scope: (ctx, input: UpdateEmailSenderInput, permission) => environmentScope(ctx, input.environmentId, permission),
  async run(ctx, input, scope): Promise<Environment> {
    const { environmentId } = scope;
    await lockSender(ctx, environmentId);
    const sender = changedSender(ctx, environmentId, await currentSender(ctx, environmentId), input);
    const { id } = await ctx.db.emailSender.create({ data: { ...sender, environmentId, id: newId('emailSender') } });
    const environment = await replaceSender(ctx, environmentId, id, input);
    const { environmentId: _, expectedVersion: __, ...fields } = input;
    await audit(ctx, {
      ...scope,
      action: 'email_sender.updated',
      target: { type: 'environment', id: environmentId },
      details: { fields: Object.keys(fields).sort() },
    });
    return environment;
  },
});

/** Makes the platform the sender again, and forgets the server with its password once no running sign-in can need it. */
export const resetEmailSender = action({
  permission: 'update:smtp_sender',
  scope: (ctx, input: Pick<UpdateEmailSenderInput, 'environmentId' | 'expectedVersion'>, permission) =>
    environmentScope(ctx, input.environmentId, permission),
  async run(ctx, input, scope): Promise<Environment> {
    const { environmentId } = scope;
    await lockSender(ctx, environmentId);
    const environment = await replaceSender(ctx, environmentId, null, input);
    await audit(ctx, { ...scope, action: 'email_sender.reset', target: { type: 'environment', id: environmentId } });
    return environment;
  },
});

/** One change of a sender at a time: none is left behind as neither present nor replaced. */
async function lockSender(ctx: Context, environmentId: string): Promise<void> {
  await ctx.db.$queryRaw`SELECT id FROM environments WHERE id = ${environmentId} FOR NO KEY UPDATE`;
}

async function replaceSender(
  ctx: Context,
  environmentId: string,
  emailSenderId: string | null,
  input: { readonly expectedVersion?: number | null | undefined },
): Promise<Environment> {
  const environment = await ctx.db.environment.update({
    where: { id: environmentId, ...atVersion(input) },
    data: { emailSenderId, ...NEXT_VERSION },
  });
  await ctx.db.emailSender.updateMany({
    where: { environmentId, replacedAt: null, ...(emailSenderId && { NOT: { id: emailSenderId } }) },
    data: { replacedAt: ctx.clock.now() },
  });
  return environment;
}

/** The environment's sender as it is now; null: the platform. */
export function currentSender(ctx: Context, environmentId: string): Promise<EmailSender | null> {
  return ctx.db.emailSender.findFirst({ where: { environmentId, currentOf: { isNot: null } } });
}

/** The sender that a sign-in begins with; null: the platform. */
export async function currentSenderId(ctx: Context, environmentId: string): Promise<string | null> {
  const id = await ctx.lookups.find(ALL_ENVIRONMENTS, `email sender of ${environmentId}`, async () => {
    const row = await ctx.db.environment.findUnique({ where: { id: environmentId }, select: { emailSenderId: true } });
    return row?.emailSenderId ?? null;
  });
  return id ?? null;
}

/** A sender's columns. */
export type SenderFields = Pick<EmailSender, 'name' | 'email' | 'host' | 'port' | 'security' | 'username' | 'password'>;

/** What the input makes of a sender, or of none. A password is for the server that it was given with: another server needs it anew. */
export function changedSender(ctx: Context, environmentId: string, present: EmailSender | null, input: EmailSenderInput): SenderFields {
  const name = oneLine(changedOptionalText(input.name, 'name'), 'name');
  const kept = { name: name === undefined ? (present?.name ?? null) : name };
  const ofServer = [input.email, input.host, input.port, input.security, input.username, input.password];
  if (!present?.host && ofServer.every((value) => value === undefined))
    return { ...kept, email: null, host: null, port: null, security: null, username: null, password: null };
  const port = input.port === undefined && present?.port ? present.port : checkPort(input.port);
  const host = input.host === undefined && present?.host ? present.host : checkHost(ctx, input.host ?? '', port);
  const isElsewhere = present?.host !== host || present.port !== port;
  if (input.password == null && present?.password && isElsewhere)
    throw new InvalidInputError('PASSWORD_REQUIRED', 'The password was given for another server. Type it again.', ['password']);
  return {
    ...kept,
    email: input.email === undefined && present?.email ? present.email : requireEmail(input.email ?? '', 'email'),
    host,
    port,
    security: input.security ?? (present?.security && !isElsewhere ? present.security : port === 465 ? 'implicit_tls' : 'starttls'),
    username:
      input.username === undefined && present?.username
        ? present.username
        : oneLine(requireText(input.username ?? '', 'username'), 'username'),
    password:
      input.password === undefined && present?.password
        ? present.password
        : ctx.vault.seal(senderPurpose(environmentId), checkPassword(input.password ?? '')),
  };
}

function checkHost(ctx: Context, text: string, port: number): string {
  const host = requireText(text, 'host', 253).toLowerCase();
  const strangers = mailStrangers(ctx);
  const isTrusted = strangers.trustedHosts?.includes(`${host}:${port}`);
  const isHere = strangers.allowLoopback && host === 'localhost';
  if (isTrusted || isHere || (isIP(host) ? isAllowed(host, strangers) : isDomain(host) && /\.[a-z][a-z0-9-]*$/.test(host))) return host;
  throw new InvalidInputError('INVALID_HOST', 'This is the name or the public address of a mail server, as smtp.example.com.', ['host']);
}

function checkPort(port: number | null | undefined): number {
  if (port == null) return 587;
  if (port >= 1 && port <= 65_535) return port;
  throw new InvalidInputError('INVALID_PORT', 'A port is a number from 1 to 65535.', ['port']);
}

/** A password is kept as it was typed, spaces included. */
function checkPassword(password: string): string {
  requireText(password, 'password', 1000);
  return oneLine(password, 'password');
}

/** In a header or a command a line break would begin another one. */
function oneLine<Text extends string | null | undefined>(text: Text, field: string): Text {
  if (text && /[\r\n\t]/.test(text)) throw new InvalidInputError('INVALID_TEXT', 'This is one line.', [field]);
  return text;
}

/** Which addresses a business's mail server may have. */
export function mailStrangers({ config }: Pick<Infrastructure, 'config'>): StrangerOptions {
  return { allowLoopback: !config.production, trustedHosts: config.smtpPrivateHosts };
}

/** Deletes senders that no running sign-in can need, in one small batch. Returns the number of rows. */
export async function deleteReplacedSenders(ctx: Context, batch = 1000): Promise<number> {
  const rows = await ctx.db.emailSender.findMany({
    where: { replacedAt: { lt: later(ctx.clock.now(), -KEPT_SECONDS) } },
    select: { environmentId: true, id: true },
    take: batch,
  });
  return rows.length > 0 ? (await ctx.db.emailSender.deleteMany({ where: { OR: rows } })).count : 0;
}
