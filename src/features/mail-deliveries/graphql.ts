/** What became of an environment's mail, in the graph. */
import { builder } from '../../graphql/builder.ts';
import { enumValues } from '../../graphql/enum-values.ts';
import { Node, registerNode } from '../../graphql/node.ts';
import { MAIL_KINDS, type MailKind } from '../../mail/sender.ts';
import { MAIL_FAILURES, type MailFailure } from '../../mail/smtp.ts';
import { MAIL_DAYS } from './service.ts';

const KIND_DESCRIPTIONS = Object.fromEntries(Object.entries(MAIL_KINDS).map(([kind, { description }]) => [kind, description])) as Record<
  MailKind,
  string
>;

const Kind = builder.enumType('MailKind', { description: 'What a mail is about.', values: enumValues(KIND_DESCRIPTIONS) });
export const MailFailureEnum = builder.enumType('MailFailure', {
  description: 'Why a mail was not taken.',
  values: enumValues(MAIL_FAILURES),
});
const Status = builder.enumType('MailStatus', {
  description: 'How far a mail is.',
  values: enumValues({
    pending: 'An attempt is still to be made.',
    sent: 'A mail server has taken it.',
    failed: 'Every attempt has failed, or the server has refused it for good.',
  }),
});

builder.prismaObject('MailDelivery', {
  description: `A mail on its way, without what it says. It is kept for ${MAIL_DAYS} days.`,
  interfaces: [Node],
  select: { environmentId: true, id: true },
  permission: 'read:smtp_sender',
  fields: (t) => ({
    id: t.exposeID('id', { open: 'it was reached through a gated field', description: 'The delivery’s id.' }),
    kind: t.field({
      type: Kind,
      nullable: true,
      description: 'What the mail is about.',
      select: { kind: true },
      resolve: ({ kind }) => kind as MailKind,
    }),
    recipient: t.exposeString('recipient', { nullable: true, permission: 'read:user_contacts', description: 'Whom it is for.' }),
    isCustom: t.exposeBoolean('isCustom', { nullable: true, description: 'Whether it goes through the environment’s own server.' }),
    status: t.field({
      type: Status,
      nullable: true,
      description: 'How far it is.',
      select: { status: true },
      resolve: ({ status }) => status as 'pending' | 'sent' | 'failed',
    }),
    attempts: t.exposeInt('attempts', { nullable: true, description: 'How often it was tried.' }),
    failure: t.field({
      type: MailFailureEnum,
      nullable: true,
      description: 'Why the latest attempt failed; null where it did not.',
      select: { failure: true },
      resolve: ({ failure }) => failure as MailFailure | null,
    }),
    responseCode: t.exposeInt('responseCode', {
      nullable: true,
      description: 'The SMTP reply code that the latest attempt failed with; null where there was none.',
    }),
    lastAttemptAt: t.expose('lastAttemptAt', { type: 'DateTime', nullable: true, description: 'The latest attempt.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: true, description: 'When it was written.' }),
  }),
});

registerNode('mailDelivery', {
  typeName: 'MailDelivery',
  permission: 'read:smtp_sender',
  tenant: 'environmentId',
  find: (prisma, query) => prisma.mailDelivery.findFirst(query),
});

builder.prismaObjectField('Environment', 'mailDeliveries', (t) =>
  t.relatedConnection('mailDeliveries', {
    cursor: 'environmentId_id',
    totalCount: true,
    nullable: true,
    permission: 'read:smtp_sender',
    description: `Its mail of the last ${MAIL_DAYS} days, newest first.`,
    args: { status: t.arg({ type: Status, description: 'Only mail that is so far. Absent: all.' }) },
    query: ({ status }) => ({ where: { ...(status && { status }) }, orderBy: { id: 'desc' } }),
  }),
);
