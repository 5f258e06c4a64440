/** A mail to whoever asks for it, through a sender that is being set up: with what the server said, to find out what is wrong. */
import { later } from '../../kernel/clock.ts';
import { InvalidInputError, UnauthenticatedError } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { serverOf } from '../../mail/choice.ts';
import { type Envelope, type MailError, type SmtpServer, sendThrough } from '../../mail/smtp.ts';
import { testMail } from '../../mail/templates.ts';
import { audit } from '../audit/service.ts';
import { action, type Context, environmentScope, type Scope } from '../context.ts';
import { paperFor } from '../letters/service.ts';
import { changedSender, currentSender, type EmailSenderInput, mailStrangers } from './service.ts';

/** Tests of one environment's sender in an hour: a server's passwords are not guessed through us. */
export const MAX_TESTS_PER_HOUR = 20;

/** How a test went. */
export interface EmailTest {
  readonly recipient: string;
  /** Undefined where the server took it. */
  readonly failed: MailError | undefined;
  /** What the client (`C:`) and the server (`S:`) said, line by line, the password left out. */
  readonly transcript: readonly string[];
}

/**
 * Sends a test to the signed-in person through the environment's sender, with whatever the input changes of it. No
 * transaction waits for the server.
 * @throws InvalidInputError NO_SERVER, TOO_MANY_TESTS, or what `updateEmailSender` finds wrong
 * @throws UnauthenticatedError when a machine asks
 */
export const sendTestEmail = Object.assign(
  async (ctx: Context, input: EmailSenderInput): Promise<EmailTest> => {
    const test = await prepare(ctx, input);
    const transcript: string[] = [];
    const failed = await sendThrough(test.server, test.mail, mailStrangers(ctx), transcript).then(
      () => undefined,
      (error: MailError) => error,
    );
    await conclude(ctx, { ...test, failed });
    return { recipient: test.mail.to, failed, transcript };
  },
  { permission: 'update:smtp_sender' as const },
);

interface Prepared {
  readonly scope: Scope;
  readonly deliveryId: string;
  readonly server: SmtpServer;
  readonly mail: Envelope;
}

const prepare = action({
  permission: sendTestEmail.permission,
  scope: (ctx, input: EmailSenderInput, permission) => environmentScope(ctx, input.environmentId, permission),
  async run(ctx, input, scope): Promise<Prepared> {
    const { environmentId, businessId } = scope;
    const recipient = await ownAddress(ctx);
    const fields = changedSender(ctx, environmentId, await currentSender(ctx, environmentId), input);
    const server = serverOf(ctx.vault, { environmentId, ...fields });
    if (!server) throw new InvalidInputError('NO_SERVER', 'There is no mail server to test.', ['host']);
    await assertRoomForTest(ctx, environmentId);
    const deliveryId = newId('mailDelivery');
    const createdAt = ctx.clock.now();
    await ctx.db.mailDelivery.create({ data: { environmentId, id: deliveryId, kind: 'test', recipient, isCustom: true, createdAt } });
    await audit(ctx, { ...scope, action: 'email_sender.tested', target: { type: 'environment', id: environmentId } });
    const { name } = await ctx.db.business.findUniqueOrThrow({ where: { id: businessId }, select: { name: true } });
    const from = { name: fields.name ?? name, address: fields.email! };
    return { scope, deliveryId, server, mail: { ...testMail(await paperFor(ctx, environmentId), recipient), from } };
  },
});

const conclude = action({
  permission: sendTestEmail.permission,
  scope: (_ctx, { scope }: Prepared & { readonly failed: MailError | undefined }) => Promise.resolve(scope),
  async run(ctx, { deliveryId, failed }, { environmentId }): Promise<void> {
    await ctx.db.mailDelivery.updateMany({
      where: { environmentId, id: deliveryId },
      data: {
        status: failed ? 'failed' : 'sent',
        failure: failed?.failure ?? null,
        responseCode: failed?.responseCode ?? null,
        attempts: 1,
        lastAttemptAt: ctx.clock.now(),
      },
    });
  },
});

/** The address that the caller signs in with: a machine has none. */
async function ownAddress({ db, actor }: Context): Promise<string> {
  const identity =
    actor.kind === 'team' &&
    (await db.identity.findFirst({
      where: { environmentId: actor.accountEnvironmentId, userId: actor.userId, type: 'email' },
      orderBy: [{ isPrimary: 'desc' }, { id: 'asc' }],
    }));
  if (!identity) throw new UnauthenticatedError('A test goes to the address of the person who asks for it.');
  return identity.value;
}

/** One test at a time is counted, so that no number of parallel ones gets more. */
async function assertRoomForTest(ctx: Context, environmentId: string): Promise<void> {
  await ctx.db.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`tests of ${environmentId}`}, 0))`;
  const since = later(ctx.clock.now(), -3600);
  if ((await ctx.db.mailDelivery.count({ where: { environmentId, kind: 'test', createdAt: { gt: since } } })) >= MAX_TESTS_PER_HOUR)
    throw new InvalidInputError('TOO_MANY_TESTS', `A sender is tested at most ${MAX_TESTS_PER_HOUR} times an hour.`);
}
