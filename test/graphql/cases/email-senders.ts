import type { Context } from '../../../src/features/context.ts';
import { MAX_TESTS_PER_HOUR } from '../../../src/features/email-senders/testing.ts';
import { newId } from '../../../src/kernel/ids.ts';
import { senderPurpose } from '../../../src/mail/choice.ts';
import type { MailKind } from '../../../src/mail/sender.ts';
import { type MailSink, SINK_PASSWORD, SINK_USER, startMailSink } from '../../helpers/mail-sink.ts';
import { type FeatureCases, type Mistake, type MistakeStage, type Stage, textMistakes } from './cases.ts';

const own = ({ world }: Pick<Stage, 'world'>) => ({ environmentId: world.ids.Environment });
const server = (stage: Pick<Stage, 'world'>) => ({
  ...own(stage),
  email: 'hello@people.test',
  host: 'smtp.people.test',
  username: 'mailer',
  password: 'correct horse battery staple',
});

const holding = (code: string, field: string, values: readonly unknown[]): Mistake[] =>
  values.map((value) => ({ code, path: [field], input: (stage) => ({ ...server(stage), [field]: value }) }));

/** Mistakes of what both mutations take of a sender. */
const senderMistakes: Mistake[] = [
  ...textMistakes('name', server, false),
  ...textMistakes('username', server),
  ...holding('REQUIRED', 'password', ['', null]),
  ...holding('INVALID_TEXT', 'name', ['Two\nlines']),
  ...holding('INVALID_TEXT', 'email', ['a@b.test\r\nBcc: c@d.test']),
  ...holding('INVALID_TEXT', 'password', ['two\r\nlines']),
  ...holding('INVALID_EMAIL', 'email', ['nobody', 'a@people.test, b@people.test']),
  ...holding('INVALID_HOST', 'host', ['no host', '10.0.0.1', '192.168.1.1', 'http://smtp.people.test', 'smtp', '1.2.3', '::ffff:10.0.0.1']),
  ...holding('INVALID_PORT', 'port', [0, -1, 65_536]),
  {
    code: 'PASSWORD_REQUIRED',
    path: ['password'],
    input: async (stage) => {
      const { environmentId } = stage.world.development;
      await setSender(stage, environmentId);
      return { environmentId, host: 'smtp.elsewhere.test' };
    },
  },
];

/** Gives an environment a server that nothing is sent to. */
async function setSender({ ctx }: Pick<MistakeStage, 'ctx'>, environmentId: string): Promise<void> {
  const id = newId('emailSender');
  const password = ctx.vault.seal(senderPurpose(environmentId), 'secret');
  const server = { email: 'hello@people.test', host: 'smtp.people.test', port: 587, security: 'starttls', username: 'mailer', password };
  await ctx.db.emailSender.create({ data: { environmentId, id, ...server } });
  await ctx.db.environment.update({ where: { id: environmentId }, data: { emailSenderId: id } });
}

let sink: Promise<MailSink> | undefined;

export const emailSenders: FeatureCases = {
  kinds: { MailDelivery: 'mailDelivery' },
  fillEnvironment: async ({ ctx, environmentId, name }) => {
    const id = newId('emailSender');
    await ctx.db.emailSender.create({ data: { environmentId, id, name: `${name} mail` } });
    await ctx.db.environment.update({ where: { id: environmentId }, data: { emailSenderId: id } });
    return { MailDelivery: await makeDelivery(ctx, environmentId, name) };
  },
  addRow: async ({ ctx, environmentId }, row) => void (await makeDelivery(ctx, environmentId, `row-${row}`)),
  lists: {
    'mail deliveries': `environment(id: $environmentId) { emailSender { name host }
      mailDeliveries(first: $first) { totalCount nodes { kind recipient status attempts failure responseCode } } }`,
    'failed mail':
      'environment(id: $environmentId) { mailDeliveries(first: $first, status: FAILED) { totalCount nodes { kind failure } } }',
  },
  open: ['SendTestEmailPayload.test', 'EmailTest.recipient', 'EmailTest.failure', 'EmailTest.responseCode', 'EmailTest.transcript'],
  shortLists: ['EmailTest.transcript'],
  mutations: {
    updateEmailSender: {
      permission: 'update:smtp_sender',
      action: 'email_sender.updated',
      input: (stage, name) => ({ ...own(stage), name }),
      foreign: [{ type: 'Environment', input: (environmentId) => ({ environmentId, name: 'Mine' }) }],
      mistakes: [
        ...senderMistakes,
        { code: 'CONFLICT', path: ['expectedVersion'], input: (stage) => ({ ...own(stage), name: 'Late', expectedVersion: 99 }) },
      ],
    },
    resetEmailSender: {
      permission: 'update:smtp_sender',
      action: 'email_sender.reset',
      input: own,
      foreign: [{ type: 'Environment', input: (environmentId) => ({ environmentId }) }],
      mistakes: [{ code: 'CONFLICT', path: ['expectedVersion'], input: (stage) => ({ ...own(stage), expectedVersion: 99 }) }],
    },
    sendTestEmail: {
      permission: 'update:smtp_sender',
      action: 'email_sender.tested',
      input: async (stage) => {
        sink ??= startMailSink();
        const { port } = await sink;
        return { ...server(stage), host: 'localhost', port, username: SINK_USER, password: SINK_PASSWORD };
      },
      foreign: [{ type: 'Environment', input: (environmentId) => ({ environmentId }) }],
      mistakes: [
        ...senderMistakes,
        { code: 'NO_SERVER', path: ['host'], input: own },
        {
          code: 'TOO_MANY_TESTS',
          path: [],
          input: async (stage) => {
            const { environmentId } = stage.world.production;
            for (let tests = 0; tests < MAX_TESTS_PER_HOUR; tests++) await makeDelivery(stage.ctx, environmentId, `test-${tests}`, 'test');
            return server(stage);
          },
        },
      ],
    },
  },
};

async function makeDelivery(
  ctx: Context,
  environmentId: string,
  name: string,
  kind: MailKind = 'organization_invitation',
): Promise<string> {
  const delivery = { status: 'failed', attempts: 1, failure: 'refused', responseCode: 550, lastAttemptAt: ctx.clock.now() };
  const { id } = await ctx.db.mailDelivery.create({
    data: {
      environmentId,
      id: newId('mailDelivery'),
      kind,
      recipient: `${name}@people.test`,
      isCustom: false,
      createdAt: ctx.clock.now(),
      ...delivery,
    },
  });
  return id;
}
