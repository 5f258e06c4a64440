/** API keys in the graph. A key is in the answer of what made it, and nowhere else ever. */
import type { Prisma } from '../../db/client.ts';
import { builder } from '../../graphql/builder.ts';
import { Node, registerNode } from '../../graphql/node.ts';
import { changed, defineMutation, PLAN_CODES, TEXT_CODES } from '../../graphql/payload.ts';
import { type ApiKeyKind, createApiKey, revokeApiKey, rotateApiKey } from './service.ts';
import { type ApiKeyStatus, verifyApiKey } from './verification.ts';

const ApiKeyKindEnum = builder.enumType('ApiKeyKind', {
  description: 'Whose an API key is.',
  values: {
    ENVIRONMENT: { value: 'environment', description: 'The business’s own, in an environment.' },
    ORGANIZATION: { value: 'organization', description: 'An organization’s.' },
    USER: { value: 'user', description: 'A user’s.' },
  },
});

const ApiKeyStatusEnum = builder.enumType('ApiKeyStatus', {
  description: 'Whether an API key works.',
  values: {
    ACTIVE: { value: 'active', description: 'It works.' },
    INACTIVE: { value: 'inactive', description: 'It does not work while its owner is suspended.' },
    REVOKED: { value: 'revoked', description: 'It never works again.' },
  },
});

const ofSuspended = { OR: [{ organization: { isSuspended: true } }, { user: { isSuspended: true } }] };

const WITH_STATUS: Readonly<Record<ApiKeyStatus, Prisma.ApiKeyWhereInput>> = {
  active: { revokedAt: null, NOT: ofSuspended },
  inactive: { revokedAt: null, ...ofSuspended },
  revoked: { revokedAt: { not: null } },
};

builder.prismaObject('ApiKey', {
  description: 'What a customer’s own programs call one API with.',
  interfaces: [Node],
  select: { environmentId: true, id: true },
  permission: 'read:api_keys',
  fields: (t) => ({
    id: t.exposeID('id', { open: 'it was reached through a gated field', description: 'The key’s id, which a rotation keeps.' }),
    name: t.exposeString('name', { nullable: true, description: 'Its name.' }),
    hint: t.exposeString('hint', { nullable: true, description: 'The last four characters of the key.' }),
    kind: t.field({
      type: ApiKeyKindEnum,
      nullable: true,
      description: 'Whose it is.',
      select: { kind: true },
      resolve: ({ kind }) => kind as ApiKeyKind,
    }),
    status: t.field({
      type: ApiKeyStatusEnum,
      nullable: true,
      description: 'Whether it works.',
      select: { revokedAt: true, organization: { select: { isSuspended: true } }, user: { select: { isSuspended: true } } },
      resolve: ({ revokedAt, organization, user }) =>
        revokedAt ? 'revoked' : organization?.isSuspended || user?.isSuspended ? 'inactive' : 'active',
    }),
    api: t.relation('api', { nullable: true, permission: 'read:apis', description: 'What it is for.' }),
    scopes: t.exposeStringList('scopes', { nullable: true, description: 'What it is good for there. They cannot be changed.' }),
    organizationId: t.exposeID('organizationId', { nullable: true, description: 'The organization whose it is.' }),
    userId: t.exposeID('userId', { nullable: true, description: 'The user whose it is.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: true, description: 'When it was made.' }),
    rotatedAt: t.expose('rotatedAt', { type: 'DateTime', nullable: true, description: 'When it was last replaced.' }),
    revokedAt: t.expose('revokedAt', { type: 'DateTime', nullable: true, description: 'When it was revoked.' }),
    lastVerifiedAt: t.expose('lastVerifiedAt', { type: 'DateTime', nullable: true, description: 'When it was last found good.' }),
    verificationCount: t.exposeInt('verificationCount', { nullable: true, description: 'How often it was found good.' }),
  }),
});

registerNode('apiKey', {
  typeName: 'ApiKey',
  permission: 'read:api_keys',
  tenant: 'environmentId',
  find: (prisma, query) => prisma.apiKey.findFirst(query),
});

const ApiKeyFilter = builder.inputType('ApiKeyFilter', {
  description: 'What API keys have in common: all that is given holds of each.',
  fields: (t) => ({
    apiId: t.id({ description: 'The API that they are for.' }),
    kind: t.field({ type: ApiKeyKindEnum, description: 'Whose they are.' }),
    status: t.field({ type: ApiKeyStatusEnum, description: 'Whether they work.' }),
    organizationId: t.id({ description: 'The organization whose they are.' }),
    userId: t.id({ description: 'The user whose they are.' }),
  }),
});

builder.prismaObjectField('Environment', 'apiKeys', (t) =>
  t.relatedConnection('apiKeys', {
    cursor: 'environmentId_id',
    totalCount: true,
    nullable: true,
    permission: 'read:api_keys',
    description: 'Its API keys, oldest first.',
    args: { filter: t.arg({ type: ApiKeyFilter, description: 'Which of them.' }) },
    query: ({ filter }) => ({
      where: {
        ...(filter?.apiId && { apiId: filter.apiId }),
        ...(filter?.kind && { kind: filter.kind }),
        ...(filter?.organizationId && { organizationId: filter.organizationId }),
        ...(filter?.userId && { userId: filter.userId }),
        ...(filter?.status && WITH_STATUS[filter.status as ApiKeyStatus]),
      },
      orderBy: { id: 'asc' },
    }),
  }),
);

const KEY = 'The key: shown this once.';
const REVOKED = { REVOKED: 'The key is revoked.' };

defineMutation({
  name: 'createApiKey',
  description: 'Makes a key of one API. The key itself is in this answer only.',
  policy: { permission: createApiKey.permission },
  codes: {
    ...TEXT_CODES,
    ...PLAN_CODES,
    MANAGEMENT_API: 'The management API takes tokens only.',
    OWNER_MISMATCH: 'The owner and the kind do not fit.',
    UNKNOWN_SCOPE: 'The API has no such scope.',
  },
  input: (t) => ({
    environmentId: t.id({ description: 'A machine token may leave it out: its own.' }),
    name: t.string({ required: true, description: 'At most 200 characters.' }),
    apiId: t.id({ required: true, description: 'The API that it is for. Cannot be changed later.' }),
    kind: t.field({ type: ApiKeyKindEnum, required: true, description: 'Whose it is.' }),
    organizationId: t.id({ description: 'For a key of an organization: that one.' }),
    userId: t.id({ description: 'For a key of a user: that one.' }),
    scopes: t.stringList({ description: 'Scopes of the API. Absent: none. They cannot be changed later.' }),
  }),
  run: (ctx, input) => createApiKey(ctx, { ...input, kind: input.kind as ApiKeyKind }),
  payload: (t) => ({
    apiKey: changed(t, 'ApiKey', 'The new key.', ({ apiKey }) => apiKey),
    key: t.string({ nullable: true, description: KEY, resolve: ({ result }) => result?.key ?? null }),
  }),
});

defineMutation({
  name: 'rotateApiKey',
  description: 'Replaces a key by another one with the same id. The old one stops working at once.',
  policy: { permission: rotateApiKey.permission },
  codes: REVOKED,
  input: (t) => ({ apiKeyId: t.id({ required: true, description: 'The key.' }) }),
  run: (ctx, input) => rotateApiKey(ctx, input),
  payload: (t) => ({
    apiKey: changed(t, 'ApiKey', 'The key.', ({ apiKey }) => apiKey),
    key: t.string({ nullable: true, description: KEY, resolve: ({ result }) => result?.key ?? null }),
  }),
});

defineMutation({
  name: 'revokeApiKey',
  description: 'Ends a key at once and for good.',
  policy: { permission: revokeApiKey.permission },
  previews: true,
  codes: REVOKED,
  input: (t) => ({ apiKeyId: t.id({ required: true, description: 'The key.' }) }),
  run: (ctx, input) => revokeApiKey(ctx, input),
  payload: (t) => ({ apiKey: changed(t, 'ApiKey', 'The key.') }),
});

defineMutation({
  name: 'verifyApiKey',
  description:
    'Says whether a key is good, what it is good for and whose it is, and counts it. An unknown key is no mistake: it is not valid.',
  policy: { permission: verifyApiKey.permission },
  codes: {},
  input: (t) => ({
    environmentId: t.id({ description: 'A machine token may leave it out: its own.' }),
    key: t.string({ required: true, description: 'What a program was called with.' }),
  }),
  run: (ctx, input) => verifyApiKey(ctx, input),
  payload: (t) => ({
    isValid: t.boolean({ nullable: true, description: 'Whether the key works.', resolve: ({ result }) => result?.isValid ?? null }),
    keyId: t.id({ nullable: true, description: 'The key’s id; null for an unknown key.', resolve: ({ result }) => result?.keyId ?? null }),
    status: t.field({
      type: ApiKeyStatusEnum,
      nullable: true,
      description: 'Why it works or does not; null for an unknown key.',
      resolve: ({ result }) => result?.status ?? null,
    }),
    apiId: t.id({ nullable: true, description: 'The API that it is for.', resolve: ({ result }) => result?.apiId ?? null }),
    scopes: t.stringList({
      nullable: true,
      description: 'What it is good for there.',
      resolve: ({ result }) => result && [...result.scopes],
    }),
    organizationId: t.id({
      nullable: true,
      description: 'The organization whose it is.',
      resolve: ({ result }) => result?.organizationId ?? null,
    }),
    userId: t.id({ nullable: true, description: 'The user whose it is.', resolve: ({ result }) => result?.userId ?? null }),
    lastVerifiedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it was last found good, which may be now.',
      resolve: ({ result }) => (result?.lastVerifiedAt ? new Date(result.lastVerifiedAt) : null),
    }),
    verificationCount: t.int({
      nullable: true,
      description: 'How often it was found good, with this time.',
      resolve: ({ result }) => result?.verificationCount ?? null,
    }),
  }),
});
