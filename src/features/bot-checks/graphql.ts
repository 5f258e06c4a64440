/** How people are told from programs, in the graph. Turnstile's secret is written, and never read. */
import { builder } from '../../graphql/builder.ts';
import { changed, defineMutation } from '../../graphql/payload.ts';
import { type BotCheckKind, updateBotCheck } from './service.ts';

const Kind = builder.enumType('BotCheckKind', {
  description: 'How people are told from programs.',
  values: {
    OFF: { value: 'off', description: 'Not at all.' },
    PROOF_OF_WORK: {
      value: 'proof_of_work',
      description: 'The browser computes for about a second. Nobody else is asked, and there is nothing to do for the person.',
    },
    TURNSTILE: { value: 'turnstile', description: 'Cloudflare Turnstile, whose script and frame the pages then load.' },
  } as const,
});

const EnvironmentBotCheck = builder
  .objectRef<{ environmentId: string; botCheck: string; turnstileSiteKey: string | null; turnstileSecret: string | null }>(
    'EnvironmentBotCheck',
  )
  .implement({
    description:
      'How people in an environment are told from programs, where a form makes an account or sends a message. It needs JavaScript.',
    permission: 'read:policies',
    fields: (t) => ({
      kind: t.field({ type: Kind, nullable: true, description: 'How.', resolve: ({ botCheck }) => botCheck as BotCheckKind }),
      turnstileSiteKey: t.exposeString('turnstileSiteKey', { nullable: true, description: 'Of Turnstile: what its widget is shown with.' }),
      hasTurnstileSecret: t.boolean({
        nullable: true,
        description: 'Whether there is a secret for Turnstile, which is read by nobody.',
        resolve: ({ turnstileSecret }) => turnstileSecret !== null,
      }),
    }),
  });

builder.prismaObjectField('Environment', 'botCheck', (t) =>
  t.field({
    type: EnvironmentBotCheck,
    nullable: true,
    permission: 'read:policies',
    description: 'How people are told from programs.',
    select: { botCheck: true, turnstileSiteKey: true, turnstileSecret: true },
    resolve: ({ id, botCheck, turnstileSiteKey, turnstileSecret }) => ({ environmentId: id, botCheck, turnstileSiteKey, turnstileSecret }),
  }),
);

defineMutation({
  name: 'updateBotCheck',
  description: 'Says how people in an environment are told from programs. It counts from the next page on.',
  policy: { permission: updateBotCheck.permission },
  versioned: true,
  codes: {
    INVALID_TURNSTILE_KEY: 'Not a key of Turnstile.',
    MISSING_TURNSTILE_KEY: 'Turnstile needs its site key and its secret.',
  },
  input: (t) => ({
    environmentId: t.id({ description: 'A machine token may leave it out: its own.' }),
    kind: t.field({ type: Kind, required: true, description: 'How.' }),
    turnstileSiteKey: t.string({ description: 'Absent: unchanged.' }),
    turnstileSecret: t.string({ description: 'Absent: unchanged. It is kept sealed.' }),
  }),
  run: (ctx, input) => updateBotCheck(ctx, input),
  payload: (t) => ({ environment: changed(t, 'Environment', 'The environment.') }),
});
