/** Second factors in the graph: what a person has set up, never what it takes to answer. */
import { builder } from '../../graphql/builder.ts';
import { Node, registerNode } from '../../graphql/node.ts';
import { changed, defineMutation } from '../../graphql/payload.ts';
import { resetOrganizationMemberMfa, resetUserMfa } from './service.ts';

const MfaFactorType = builder.enumType('MfaFactorType', {
  description: 'How a second factor is proved.',
  values: {
    EMAIL: { value: 'email', description: 'A code by email.' },
    SMS: { value: 'sms', description: 'A code by text message.' },
    AUTHENTICATOR_APP: { value: 'authenticator_app', description: 'A code from an authenticator app.' },
    RECOVERY_CODES: { value: 'recovery_codes', description: 'Codes kept for when the other factors are lost.' },
  },
});

builder.prismaObject('MfaFactor', {
  description: 'A second factor that a person has set up.',
  interfaces: [Node],
  select: { environmentId: true, id: true },
  permission: 'read:user_mfa',
  fields: (t) => ({
    id: t.exposeID('id', { open: 'it was reached through a gated field', description: 'The factor’s id.' }),
    type: t.field({
      type: MfaFactorType,
      nullable: true,
      description: 'Its kind.',
      select: { type: true },
      resolve: ({ type }) => type as 'email',
    }),
    label: t.exposeString('label', { nullable: true, description: 'The address or number it goes to, masked.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: true, description: 'When it was set up.' }),
    lastUsedAt: t.expose('lastUsedAt', { type: 'DateTime', nullable: true, description: 'When it was last proved.' }),
    organizationId: t.exposeID('organizationId', {
      nullable: true,
      description: 'The organization whose sign-ins it is for; null for those of the environment.',
    }),
  }),
});

registerNode('mfaFactor', {
  typeName: 'MfaFactor',
  permission: 'read:user_mfa',
  tenant: 'environmentId',
  find: (prisma, query) => prisma.mfaFactor.findFirst(query),
});

builder.prismaObjectField('User', 'mfaFactors', (t) =>
  t.relation('mfaFactors', {
    nullable: true,
    permission: 'read:user_mfa',
    description: 'The second factors that the person has set up, oldest first.',
    query: { orderBy: { id: 'asc' }, take: 100 },
  }),
);

const member = builder.prismaObject('MfaFactor', {
  variant: 'OrganizationMfaFactor',
  description: 'A second factor that a member has set up for the sign-ins to an organization.',
  select: { organizationId: true },
  permission: 'read:organization_user_mfa',
  fields: (t) => ({
    factorId: t.exposeID('id', { nullable: true, description: 'The factor’s id.' }),
    type: t.field({
      type: MfaFactorType,
      nullable: true,
      description: 'Its kind.',
      select: { type: true },
      resolve: ({ type }) => type as 'email',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: true, description: 'When it was set up.' }),
    lastUsedAt: t.expose('lastUsedAt', { type: 'DateTime', nullable: true, description: 'When it was last proved.' }),
  }),
});

builder.prismaObjectField('Membership', 'mfaFactors', (t) =>
  t.field({
    type: [member],
    nullable: true,
    permission: 'read:organization_user_mfa',
    description: 'The second factors that the member has set up for sign-ins to this organization, oldest first.',
    select: (_args, _ctx, nested) =>
      ({
        organizationId: true,
        user: {
          select: {
            mfaFactors: { ...(nested(true) as object), where: { organizationId: { not: null } }, orderBy: { id: 'asc' }, take: 100 },
          },
        },
      }) as never,
    resolve: (row) => {
      const { organizationId, user } = row as unknown as { organizationId: string; user: { mfaFactors: { organizationId: string }[] } };
      return user.mfaFactors.filter((factor) => factor.organizationId === organizationId) as never;
    },
  }),
);

const factorId = 'The factor to delete. Absent: all of them, with the recovery codes.';

defineMutation({
  name: 'resetUserMfa',
  description:
    'Deletes a user’s second factors, those for single organizations too: the person is asked to set one up again. Recovery codes go with the last factor.',
  policy: { permission: resetUserMfa.permission },
  previews: true,
  codes: {},
  input: (t) => ({
    userId: t.id({ required: true, description: 'The user.' }),
    factorId: t.id({ description: factorId }),
  }),
  run: (ctx, input) => resetUserMfa(ctx, input),
  payload: (t) => ({ user: changed(t, 'User', 'The user.') }),
});

defineMutation({
  name: 'resetOrganizationMemberMfa',
  description: 'Deletes the second factors that a member has for sign-ins to the organization, and leaves those of the environment.',
  policy: { permission: resetOrganizationMemberMfa.permission },
  previews: true,
  codes: {},
  input: (t) => ({
    organizationMemberId: t.id({ required: true, description: 'The membership.' }),
    factorId: t.id({ description: factorId }),
  }),
  run: (ctx, input) => resetOrganizationMemberMfa(ctx, input),
  payload: (t) => ({ member: changed(t, 'Membership', 'The membership.') }),
});
