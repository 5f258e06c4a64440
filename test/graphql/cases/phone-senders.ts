import { countCode, MAX_TEXTS_PER_HOUR } from '../../../src/features/sign-in-attempts/service.ts';
import { phoneSenderPurpose } from '../../../src/phone/sender.ts';
import type { FeatureCases, Mistake, Stage } from './cases.ts';

const own = ({ world }: Pick<Stage, 'world'>) => ({ environmentId: world.ids.Environment });
const ACCOUNT = `AC${'0'.repeat(32)}`;
const twilio = (stage: Pick<Stage, 'world'>) => ({
  ...own(stage),
  provider: 'TWILIO',
  accountSid: ACCOUNT,
  authToken: 'f'.repeat(32),
  from: '+61255500100',
});
/** Nobody is there: what is sent to it is refused. */
const webhook = (stage: Pick<Stage, 'world'>) => ({
  ...own(stage),
  provider: 'WEBHOOK',
  url: 'https://localhost:9/texts',
  signingSecret: 'a secret of people who sign',
});
const holding = (
  code: string,
  field: string,
  input: (stage: Pick<Stage, 'world'>) => object,
  values: readonly (string | undefined)[],
): Mistake[] => values.map((value) => ({ code, path: [field], input: (stage) => ({ ...input(stage), [field]: value }) }));

async function fill(ctx: Stage['ctx'], environmentId: string): Promise<void> {
  const secret = ctx.vault.seal(phoneSenderPurpose(environmentId), 'a secret of people who sign');
  await ctx.db.phoneSender.upsert({
    where: { environmentId },
    create: { environmentId, provider: 'webhook', url: 'https://localhost:9/texts', secret, lastFailure: 'unreachable' },
    update: {},
  });
}

export const phoneSenders: FeatureCases = {
  fillEnvironment: async ({ ctx, environmentId }) => {
    await fill(ctx, environmentId);
    return {};
  },
  mutations: {
    updatePhoneSender: {
      permission: 'update:phone_sender',
      action: 'phone_sender.updated',
      input: (stage) => twilio(stage),
      foreign: [{ type: 'Environment', input: (environmentId, world) => ({ ...twilio({ world }), environmentId }) }],
      mistakes: [
        ...holding('INVALID_ACCOUNT', 'accountSid', twilio, ['', 'AC1', `MG${'0'.repeat(32)}`, `${ACCOUNT}/../Calls`]),
        ...holding('INVALID_FROM', 'from', twilio, ['', 'Acme', '0255500100', `AC${'0'.repeat(32)}`]),
        ...holding('INVALID_URL', 'url', webhook, ['', 'no url', 'http://texts.test/', 'https://10.0.0.1/', 'https://a:b@texts.test/']),
        ...holding('INVALID_SECRET', 'signingSecret', webhook, ['', 'short', 'x'.repeat(201), `${'x'.repeat(24)}\n`]),
        ...holding('INVALID_SECRET', 'authToken', twilio, ['', 'short', `${'f'.repeat(32)} x`]),
        ...holding('SECRET_REQUIRED', 'authToken', twilio, [undefined]),
        {
          code: 'SECRET_REQUIRED',
          path: ['signingSecret'],
          input: (stage) => ({ ...webhook(stage), url: 'https://elsewhere.test/', signingSecret: undefined }),
        },
        { code: 'CONFLICT', path: ['expectedVersion'], input: (stage) => ({ ...twilio(stage), expectedVersion: 99 }) },
      ],
    },
    resetPhoneSender: {
      permission: 'update:phone_sender',
      action: 'phone_sender.reset',
      input: own,
      foreign: [{ type: 'Environment', input: (environmentId) => ({ environmentId }) }],
      mistakes: [{ code: 'CONFLICT', path: ['expectedVersion'], input: (stage) => ({ ...own(stage), expectedVersion: 99 }) }],
    },
    sendTestText: {
      permission: 'update:phone_sender',
      action: 'phone_sender.tested',
      input: async (stage, name) => {
        await fill(stage.ctx, stage.world.ids.Environment!);
        // A number that was not used before.
        return {
          ...own(stage),
          to: `+6149${[...name]
            .reduce((sum, sign) => (sum * 31 + sign.charCodeAt(0)) % 10_000_000, 7)
            .toString()
            .padStart(7, '0')}`,
        };
      },
      foreign: [{ type: 'Environment', input: (environmentId) => ({ environmentId, to: '+61491570006' }) }],
      mistakes: [
        ...['', '0491570006', '+61 491 570 006', '+61491570006x'].map((to) => ({
          code: 'INVALID_PHONE',
          path: ['to'],
          input: (stage: Stage) => ({ ...own(stage), to }),
        })),
        {
          code: 'NO_SENDER',
          path: [],
          input: async ({ ctx, world }) => {
            const { environmentId } = world.development;
            await ctx.db.phoneSender.deleteMany({ where: { environmentId } });
            return { environmentId, to: '+61491570006' };
          },
        },
        {
          code: 'TOO_MANY_CODES',
          path: ['to'],
          input: async (stage) => {
            await fill(stage.ctx, stage.world.ids.Environment!);
            for (let texts = 0; texts < MAX_TEXTS_PER_HOUR; texts++)
              await countCode(stage.ctx, stage.world.ids.Environment!, '+61491570156');
            return { ...own(stage), to: '+61491570156' };
          },
        },
      ],
    },
  },
};
