/** An environment's sender in the graph. Its password is written, and never read. */
import { builder } from '../../graphql/builder.ts';
import { changed, defineMutation, TEXT_CODES } from '../../graphql/payload.ts';
import type { SmtpServer } from '../../mail/smtp.ts';
import { MailFailureEnum } from '../mail-deliveries/graphql.ts';
import { KEPT_SECONDS, resetEmailSender, updateEmailSender } from './service.ts';
import { type EmailTest, MAX_TESTS_PER_HOUR, sendTestEmail } from './testing.ts';

const Security = builder.enumType('SmtpSecurity', {
  description: 'How the connection to a mail server is encrypted. The server’s certificate must be trusted in any case.',
  values: {
    STARTTLS: {
      value: 'starttls',
      description: 'It begins in the clear and is encrypted before anything is said; a server that refuses gets no mail.',
    },
    IMPLICIT_TLS: { value: 'implicit_tls', description: 'It is encrypted from the start.' },
  } as const,
});

builder.prismaObject('EmailSender', {
  description: 'Whom an environment’s mail is from. Without a server it is only a name, and the platform’s server sends it.',
  select: { environmentId: true, id: true },
  permission: 'read:smtp_sender',
  fields: (t) => ({
    name: t.exposeString('name', { nullable: true, description: 'Whom mail is from; null: the business.' }),
    email: t.exposeString('email', { nullable: true, description: 'The address that mail is from; null: the platform’s.' }),
    host: t.exposeString('host', { nullable: true, description: 'The mail server; null: the platform’s.' }),
    port: t.exposeInt('port', { nullable: true, description: 'Its port.' }),
    security: t.field({
      type: Security,
      nullable: true,
      description: 'How the connection is encrypted.',
      select: { security: true },
      resolve: ({ security }) => security as SmtpServer['security'] | null,
    }),
    username: t.exposeString('username', {
      nullable: true,
      description: 'Who is signed in to the server. The password is not read by anybody.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: true, description: 'Since when it is the sender.' }),
  }),
});

builder.prismaObjectField('Environment', 'emailSender', (t) =>
  t.relation('emailSender', {
    nullable: true,
    permission: 'read:smtp_sender',
    description: 'Whom its mail is from; null: the platform, by the business’s name.',
  }),
);

const OWN = 'A machine token may leave it out: its own.';
const CODES = {
  ...TEXT_CODES,
  INVALID_EMAIL: 'Not an email address.',
  INVALID_HOST: 'Not the name or public address of a server.',
  INVALID_PORT: 'Not a port.',
  PASSWORD_REQUIRED: 'The password was given for another server.',
};

type Inputs = Parameters<Parameters<typeof defineMutation>[0]['input']>[0];
const senderInputs = (t: Inputs) => ({
  name: t.string({ description: 'At most 200 characters. Absent: unchanged; null: the business’s.' }),
  email: t.string({ description: 'The address that mail is from. It takes a server. Absent: unchanged.' }),
  host: t.string({ description: 'The mail server, on the public internet. Another one needs the password again. Absent: unchanged.' }),
  port: t.int({ description: 'Another one needs the password again. Absent: unchanged, or 587; null: 587.' }),
  security: t.field({
    type: Security,
    description: 'Absent or null: unchanged; for another server as usual for its port, IMPLICIT_TLS at 465 and STARTTLS elsewhere.',
  }),
  username: t.string({ description: 'At most 200 characters. Absent: unchanged.' }),
  password: t.string({ description: 'At most 1000 characters, kept as they are. Nobody reads it again. Absent: unchanged.' }),
});

defineMutation({
  name: 'updateEmailSender',
  description:
    'Changes whom an environment’s mail is from. A server of its own takes an address, a host, a user name and a password. Sign-ins that are running keep the sender that they began with. Invitations to the team and notices of exports are always from the platform.',
  policy: { permission: updateEmailSender.permission },
  versioned: true,
  codes: CODES,
  input: (t) => ({ environmentId: t.id({ description: OWN }), ...senderInputs(t) }),
  run: (ctx, input) => updateEmailSender(ctx, input),
  payload: (t) => ({ environment: changed(t, 'Environment', 'The environment, whose version counts.') }),
});

defineMutation({
  name: 'resetEmailSender',
  description: `Makes the platform the sender of an environment’s mail again. The server and its password are deleted within ${KEPT_SECONDS / 3600} hours and some minutes, when no running sign-in can need them. In an environment that is live people will notice.`,
  policy: { permission: resetEmailSender.permission },
  versioned: true,
  previews: true,
  codes: {},
  input: (t) => ({ environmentId: t.id({ description: OWN }) }),
  run: (ctx, input) => resetEmailSender(ctx, input),
  payload: (t) => ({ environment: changed(t, 'Environment', 'The environment.') }),
});

const Test = builder.objectRef<EmailTest>('EmailTest').implement({
  description: 'How a test of a sender went.',
  open: 'the mutation itself is gated',
  fields: (t) => ({
    recipient: t.exposeString('recipient', { description: 'The caller’s own address.' }),
    failure: t.field({
      type: MailFailureEnum,
      nullable: true,
      description: 'Why it was not taken; null where the server has taken it.',
      resolve: ({ failed }) => failed?.failure,
    }),
    responseCode: t.int({
      nullable: true,
      description: 'The SMTP reply code that it failed with; null where there was none.',
      resolve: ({ failed }) => failed?.responseCode,
    }),
    transcript: t.exposeStringList('transcript', {
      description:
        'What was said: the client’s lines begin with `C:`, the server’s with `S:`, what is wrong with its certificate with `E:`. The password is left out.',
    }),
  }),
});

defineMutation({
  name: 'sendTestEmail',
  description: `Sends a test to the caller through an environment’s sender, with what the input changes of it: so a sender can be tried before it is saved. It answers when the server has, within some twenty seconds, and at most ${MAX_TESTS_PER_HOUR} times an hour. An Idempotency-Key has no meaning to it.`,
  policy: { permission: sendTestEmail.permission },
  forPeople: true,
  isOutside: true,
  codes: {
    ...CODES,
    NO_SERVER: 'There is no server to test.',
    TOO_MANY_TESTS: `There were ${MAX_TESTS_PER_HOUR} tests in the last hour.`,
  },
  input: (t) => ({ environmentId: t.id({ description: OWN }), ...senderInputs(t) }),
  run: (ctx, input) => sendTestEmail(ctx, input),
  payload: (t) => ({
    test: t.field({ type: Test, nullable: true, description: 'How it went.', resolve: ({ result }) => result }),
  }),
});
