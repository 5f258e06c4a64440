/** An environment's provider of texts in the graph. Its secret is written, and never read. */
import { builder } from '../../graphql/builder.ts';
import { enumValues } from '../../graphql/enum-values.ts';
import { changed, defineMutation } from '../../graphql/payload.ts';
import { type PhoneProvider, TEXT_FAILURES, type TextFailure } from '../../phone/providers.ts';
import { MAX_TEXTS_PER_HOUR } from '../sign-in-attempts/service.ts';
import { resetPhoneSender, SECRET_LENGTHS, sendTestText, updatePhoneSender } from './service.ts';

const Provider = builder.enumType('PhoneProvider', {
  description: 'Who takes texts to people’s phones.',
  values: {
    TWILIO: { value: 'twilio', description: 'An account at Twilio.' },
    WEBHOOK: {
      value: 'webhook',
      description:
        'A server of the business’s own. It is posted JSON, `{ to, text }`, signed as Standard Webhooks has it: `webhook-signature` is `v1,` and the base64 of HMAC-SHA-256 by the signing secret over `webhook-id.webhook-timestamp.body`. Every try of a text has the same id.',
    },
  } as const,
});

const Failure = builder.enumType('TextFailure', {
  description: 'Why a text was not taken.',
  values: enumValues(TEXT_FAILURES),
});

builder.prismaObject('PhoneSender', {
  description: 'Through whom an environment’s texts go.',
  select: { environmentId: true },
  permission: 'read:phone_sender',
  fields: (t) => ({
    provider: t.field({
      type: Provider,
      nullable: true,
      description: 'Who takes them.',
      select: { provider: true },
      resolve: ({ provider }) => provider as PhoneProvider,
    }),
    accountSid: t.exposeString('accountSid', { nullable: true, description: 'At Twilio: the account. Its auth token is read by nobody.' }),
    from: t.exposeString('from', { nullable: true, description: 'At Twilio: the number or the messaging service that they are from.' }),
    url: t.exposeString('url', { nullable: true, description: 'Where a server of the business’s own is posted them.' }),
    lastSentAt: t.expose('lastSentAt', { type: 'DateTime', nullable: true, description: 'When the provider last took one.' }),
    lastFailedAt: t.expose('lastFailedAt', { type: 'DateTime', nullable: true, description: 'When it last took one not.' }),
    lastFailure: t.field({
      type: Failure,
      nullable: true,
      description: 'Why it did not, that time.',
      select: { lastFailure: true },
      resolve: ({ lastFailure }) => lastFailure as TextFailure | null,
    }),
  }),
});

builder.prismaObjectField('Environment', 'phoneSender', (t) =>
  t.relation('phoneSender', {
    nullable: true,
    permission: 'read:phone_sender',
    description: 'Through whom its texts go; null: nobody, so that people do not sign in with phones.',
  }),
);

const OWN = 'A machine token may leave it out: its own.';

defineMutation({
  name: 'updatePhoneSender',
  description: 'Says through whom an environment’s texts go.',
  policy: { permission: updatePhoneSender.permission },
  versioned: true,
  codes: {
    INVALID_ACCOUNT: 'Not a Twilio account SID.',
    INVALID_FROM: 'Neither a phone number nor a messaging service.',
    INVALID_URL: 'Not an https URL of the public internet.',
    INVALID_SECRET: 'Too short, too long, or of other signs.',
    SECRET_REQUIRED: 'The auth token or the signing secret was given for another place.',
  },
  input: (t) => ({
    environmentId: t.id({ description: OWN }),
    provider: t.field({ type: Provider, required: true, description: 'Who takes them.' }),
    accountSid: t.string({ description: 'For Twilio. Absent: unchanged.' }),
    authToken: t.string({ description: 'For Twilio. Nobody reads it again. Absent: unchanged, for the same account.' }),
    from: t.string({ description: 'For Twilio: a number (E.164), or a messaging service (`MG…`). Absent: unchanged.' }),
    url: t.string({ description: 'For a server of the business’s own. Absent: unchanged.' }),
    signingSecret: t.string({
      description: `For a server of the business’s own: ${SECRET_LENGTHS.min} to ${SECRET_LENGTHS.max} ASCII characters. Nobody reads it again. Absent: unchanged, for the same URL.`,
    }),
  }),
  run: (ctx, input) => updatePhoneSender(ctx, input),
  payload: (t) => ({ environment: changed(t, 'Environment', 'The environment, whose version counts.') }),
});

defineMutation({
  name: 'resetPhoneSender',
  description: 'Forgets the provider of an environment’s texts, with its secret. Who signs in with a phone cannot any more.',
  policy: { permission: resetPhoneSender.permission },
  versioned: true,
  previews: true,
  codes: {},
  input: (t) => ({ environmentId: t.id({ description: OWN }) }),
  run: (ctx, input) => resetPhoneSender(ctx, input),
  payload: (t) => ({ environment: changed(t, 'Environment', 'The environment.') }),
});

defineMutation({
  name: 'sendTestText',
  description: `Sends a test through an environment’s provider. How it went is soon read from the environment’s phoneSender. A number is sent at most ${MAX_TEXTS_PER_HOUR} codes and tests in an hour.`,
  policy: { permission: sendTestText.permission },
  codes: {
    INVALID_PHONE: 'Not a phone number with its country code.',
    NO_SENDER: 'There is no provider to test.',
    TOO_MANY_CODES: `The number was sent ${MAX_TEXTS_PER_HOUR} codes and tests in the last hour.`,
  },
  input: (t) => ({
    environmentId: t.id({ description: OWN }),
    to: t.string({ required: true, description: 'The number to send it to (E.164).' }),
  }),
  run: (ctx, input) => sendTestText(ctx, input),
  payload: (t) => ({ environment: changed(t, 'Environment', 'The environment.') }),
});
