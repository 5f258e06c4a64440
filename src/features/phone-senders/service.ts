/** Through whom an environment's texts go: a Twilio account or a server of the business's own. Nobody reads its secret. */
import type { Environment, PhoneSender } from '../../db/generated/client/client.ts';
import { InvalidInputError } from '../../kernel/errors.ts';
import type { PhoneProvider } from '../../phone/providers.ts';
import { hasMailbox, phoneSenderPurpose, sendText } from '../../phone/sender.ts';
import { problemOfStrangerUrl } from '../../security/strangers.ts';
import { audit } from '../audit/service.ts';
import { action, atVersion, type Context, environmentScope, NEXT_VERSION } from '../context.ts';
import { countCode } from '../sign-in-attempts/service.ts';
import { isPhone } from '../text.ts';

/** Characters of what requests to a server of the business's own are signed with. */
export const SECRET_LENGTHS = { min: 24, max: 200 };

interface Change {
  readonly environmentId?: string | null | undefined;
  readonly expectedVersion?: number | null | undefined;
}

export interface UpdatePhoneSenderInput extends Change {
  readonly provider: PhoneProvider;
  readonly accountSid?: string | null | undefined;
  readonly authToken?: string | null | undefined;
  readonly from?: string | null | undefined;
  readonly url?: string | null | undefined;
  readonly signingSecret?: string | null | undefined;
}

/** Says through whom an environment's texts go. A secret is for the account or the URL that it was given with.
 * @throws InvalidInputError INVALID_ACCOUNT, INVALID_FROM, INVALID_URL, INVALID_SECRET, SECRET_REQUIRED or CONFLICT */
export const updatePhoneSender = action({
  permission: 'update:phone_sender',
  scope: (ctx, input: UpdatePhoneSenderInput, permission) => environmentScope(ctx, input.environmentId, permission),
  async run(ctx, input, scope): Promise<Environment> {
    const { environmentId } = scope;
    const environment = await nextVersion(ctx, environmentId, input);
    const present = await ctx.db.phoneSender.findUnique({ where: { environmentId } });
    const sender = changedSender(ctx, environmentId, present?.provider === input.provider ? present : null, input);
    const fresh = { lastSentAt: null, lastFailedAt: null, lastFailure: null };
    await ctx.db.phoneSender.upsert({
      where: { environmentId },
      create: { environmentId, ...sender },
      update: { ...sender, ...fresh },
    });
    const { environmentId: _, expectedVersion: __, ...fields } = input;
    await audit(ctx, {
      ...scope,
      action: 'phone_sender.updated',
      target: { type: 'environment', id: environmentId },
      details: { provider: input.provider, fields: Object.keys(fields).sort() },
    });
    return environment;
  },
});

/** Forgets the provider with its secret: from then on no texts go out. */
export const resetPhoneSender = action({
  permission: 'update:phone_sender',
  scope: (ctx, input: Change, permission) => environmentScope(ctx, input.environmentId, permission),
  async run(ctx, input, scope): Promise<Environment> {
    const { environmentId } = scope;
    const environment = await nextVersion(ctx, environmentId, input);
    await ctx.db.phoneSender.deleteMany({ where: { environmentId } });
    await audit(ctx, { ...scope, action: 'phone_sender.reset', target: { type: 'environment', id: environmentId } });
    return environment;
  },
});

export interface SendTestTextInput {
  readonly environmentId?: string | null | undefined;
  readonly to: string;
}

/** Puts a test on its way; how it went is read from the sender. It counts as one of the codes that a number may be sent.
 * @throws InvalidInputError INVALID_PHONE, NO_SENDER or TOO_MANY_CODES */
export const sendTestText = action({
  permission: 'update:phone_sender',
  scope: (ctx, input: SendTestTextInput, permission) => environmentScope(ctx, input.environmentId, permission),
  async run(ctx, { to: typed }, scope): Promise<{ id: string }> {
    const { environmentId } = scope;
    const to = typed.trim();
    if (!isPhone(to)) throw new InvalidInputError('INVALID_PHONE', 'This is a number such as +61555111555.', ['to']);
    if ((await ctx.db.phoneSender.count({ where: { environmentId } })) === 0)
      throw new InvalidInputError('NO_SENDER', 'There is no provider to test.');
    await countCode(ctx, environmentId, to, { path: ['to'] });
    const { name } = (await ctx.db.environment.findUniqueOrThrow({ where: { id: environmentId }, select: { business: true } })).business;
    await sendText(ctx, { environmentId, to, text: `A test of the texts of ${name}.` });
    await audit(ctx, { ...scope, action: 'phone_sender.tested', target: { type: 'environment', id: environmentId } });
    return { id: environmentId };
  },
});

/** Can people of the environment be sent texts? */
export async function canText(ctx: Context, environmentId: string): Promise<boolean> {
  if (hasMailbox(ctx.config)) return true;
  const found = await ctx.lookups.find(environmentId, 'phone sender', async () => ({
    isThere: (await ctx.db.phoneSender.count({ where: { environmentId } })) > 0,
  }));
  return found!.isThere;
}

/** One change of a sender at a time, by the version of its environment. */
function nextVersion(ctx: Context, environmentId: string, input: Change): Promise<Environment> {
  return ctx.db.environment.update({ where: { id: environmentId, ...atVersion(input) }, data: NEXT_VERSION });
}

type SenderFields = Pick<PhoneSender, 'provider' | 'accountSid' | 'from' | 'url' | 'secret'>;

function changedSender(ctx: Context, environmentId: string, present: PhoneSender | null, input: UpdatePhoneSenderInput): SenderFields {
  const seal = (secret: string) => ctx.vault.seal(phoneSenderPurpose(environmentId), secret);
  const { provider } = input;
  if (provider === 'twilio') {
    const accountSid = checkAccount(input.accountSid ?? present?.accountSid ?? '');
    const from = checkFrom(input.from ?? present?.from ?? '');
    const secret = given('authToken', input.authToken, present?.accountSid === accountSid && present.secret, checkToken, seal);
    return { provider, accountSid, from, url: null, secret };
  }
  const url = checkUrl(ctx, input.url ?? present?.url ?? '');
  const secret = given('signingSecret', input.signingSecret, present?.url === url && present.secret, checkSecret, seal);
  return { provider, accountSid: null, from: null, url, secret };
}

/** The secret that was typed, or else the one that is kept for the same place. */
function given(
  field: string,
  typed: string | null | undefined,
  kept: string | false | undefined,
  check: (text: string, field: string) => string,
  seal: (secret: string) => string,
): string {
  if (typed != null) return seal(check(typed, field));
  if (kept) return kept;
  throw new InvalidInputError('SECRET_REQUIRED', 'This belongs to the account or the URL: type it as well.', [field]);
}

function checkAccount(text: string): string {
  const sid = text.trim();
  if (/^AC[0-9a-fA-F]{32}$/.test(sid)) return sid;
  throw new InvalidInputError('INVALID_ACCOUNT', 'A Twilio account SID is AC and 32 hex digits.', ['accountSid']);
}

function checkFrom(text: string): string {
  const from = text.trim();
  if (isPhone(from) || /^MG[0-9a-fA-F]{32}$/.test(from)) return from;
  throw new InvalidInputError(
    'INVALID_FROM',
    'Texts are from a number such as +61555111555, or a messaging service: MG and 32 hex digits.',
    ['from'],
  );
}

function checkToken(text: string, field: string): string {
  const token = text.trim();
  if (/^[\x21-\x7e]{16,200}$/.test(token)) return token;
  throw new InvalidInputError('INVALID_SECRET', 'This does not look like an auth token.', [field]);
}

function checkSecret(text: string, field: string): string {
  const { min, max } = SECRET_LENGTHS;
  if (/^[\x20-\x7e]+$/.test(text) && text.length >= min && text.length <= max) return text;
  throw new InvalidInputError('INVALID_SECRET', `A signing secret has ${min} to ${max} letters, digits and signs of ASCII.`, [field]);
}

function checkUrl({ config }: Context, text: string): string {
  const problem = problemOfStrangerUrl(text.trim(), { allowLoopback: !config.production });
  if (problem) throw new InvalidInputError('INVALID_URL', problem, ['url']);
  return new URL(text.trim()).href;
}
