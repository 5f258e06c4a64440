/** Registered operations in the graph, and what binds an application to them. */
import { GraphQLError, type GraphQLSchema } from 'graphql';
import { readOperation } from '../../graphql/access-operation.ts';
import { builder } from '../../graphql/builder.ts';
import { Node, registerNode } from '../../graphql/node.ts';
import { changed, defineMutation, deletedId, TEXT_CODES } from '../../graphql/payload.ts';
import { InvalidInputError } from '../../kernel/errors.ts';
import { Application } from '../applications/graphql.ts';
import { Environment } from '../environments/graphql.ts';
import { deleteOperation, MAX_BOUND, MAX_DOCUMENT, MAX_OPERATIONS, registerOperation, updateApplicationOperations } from './service.ts';

export const Operation = builder.prismaObject('Operation', {
  description: 'A document of this graph that callers may name by its hash, and that applications may be bound to.',
  interfaces: [Node],
  select: { environmentId: true, id: true },
  permission: 'read:applications',
  fields: (t) => ({
    id: t.exposeID('id', { open: 'it was reached through a gated field', description: 'The operation’s id.' }),
    hash: t.exposeString('hash', {
      nullable: true,
      description:
        'The SHA-256 hash of its document in lower-case hex: what `extensions.persistedQuery.sha256Hash` names it by, and `documentId` after `sha256:`.',
    }),
    name: t.exposeString('name', { nullable: true, description: 'Its name.' }),
    document: t.exposeString('document', { nullable: true, description: 'The document, as it was registered.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: true, description: 'When it was registered.' }),
  }),
});

registerNode('operation', {
  typeName: 'Operation',
  permission: 'read:applications',
  tenant: 'environmentId',
  find: (prisma, query) => prisma.operation.findFirst(query),
});

builder.prismaObjectField(Environment, 'operations', (t) =>
  t.relatedConnection('operations', {
    cursor: 'environmentId_id',
    totalCount: true,
    nullable: true,
    permission: 'read:applications',
    description: `Its registered operations, oldest first: at most ${MAX_OPERATIONS}.`,
    query: { orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] },
  }),
);

builder.prismaObjectFields(Application, (t) => ({
  isBoundToOperations: t.exposeBoolean('isBoundToOperations', {
    nullable: true,
    description: 'Whether its own tokens may run the operations of its list only, and no other document.',
  }),
  operations: t.field({
    type: [Operation],
    nullable: true,
    cost: MAX_BOUND,
    description: `The operations that it may be bound to, at most ${MAX_BOUND}, by name.`,
    select: (_args, _ctx, nested) =>
      ({ operations: { select: { operation: nested(true) }, orderBy: [{ operation: { name: 'asc' } }, { operationId: 'asc' }] } }) as never,
    resolve: (row) => (row as unknown as { operations: { operation: never }[] }).operations.map(({ operation }) => operation),
  }),
}));

defineMutation({
  name: 'registerOperation',
  description:
    'Registers a document, so that callers of the environment may name it by its hash. One that is registered already takes the new name.',
  policy: { permission: registerOperation.permission },
  bulk: { name: 'registerOperations', description: 'Registers documents.' },
  codes: {
    ...TEXT_CODES,
    INVALID_DOCUMENT: 'Not a valid document with one operation, within the limits of one that runs.',
    TOO_MANY: `The environment has ${MAX_OPERATIONS} operations.`,
  },
  input: (t) => ({
    environmentId: t.id({ description: 'A machine token may leave it out: its own.' }),
    name: t.string({ required: true, description: 'At most 200 characters.' }),
    document: t.string({ required: true, description: `One operation and its fragments, at most ${MAX_DOCUMENT} characters.` }),
  }),
  run: async (ctx, input) => {
    const { schema } = await import('../../graphql/schema.ts'); // Which this file is a part of.
    return registerOperation(ctx, { ...input, problemOf: (document) => problemOf(schema, document, !ctx.config.production) });
  },
  payload: (t) => ({ operation: changed(t, 'Operation', 'The operation.') }),
});

defineMutation({
  name: 'deleteOperation',
  description: 'Deletes an operation. Applications that are bound to it may not run it any more.',
  policy: { permission: deleteOperation.permission },
  previews: true,
  codes: {},
  input: (t) => ({ operationId: t.id({ required: true, description: 'The operation.' }) }),
  run: (ctx, input) => deleteOperation(ctx, input),
  payload: (t) => ({ deletedId: deletedId(t) }),
});

defineMutation({
  name: 'updateApplicationOperations',
  description:
    'Says which operations an application’s own tokens may run, and whether they may run others. Tokens that were issued before are held to it too, from the next request on.',
  policy: { permission: updateApplicationOperations.permission },
  previews: true,
  versioned: true,
  codes: { NO_SECRET: 'A public client has no tokens of its own.', TOO_MANY: `More than ${MAX_BOUND} operations.` },
  input: (t) => ({
    applicationId: t.id({ required: true, description: 'The application.' }),
    isBoundToOperations: t.boolean({ description: 'Whether it may run its operations only. Absent: unchanged.' }),
    operationIds: t.idList({ description: `Its operations from now on, at most ${MAX_BOUND}, of its own environment. Absent: unchanged.` }),
  }),
  run: (ctx, input) => updateApplicationOperations(ctx, input),
  payload: (t) => ({ application: changed(t, 'Application', 'The application.') }),
});

/** What keeps a document from being registered, in a sentence; undefined when nothing does. */
function problemOf(schema: GraphQLSchema, document: string, suggestions: boolean): string | undefined {
  try {
    readOperation(schema, { document }, suggestions);
    return undefined;
  } catch (error) {
    if (error instanceof GraphQLError) return `${error.message}.`;
    if (error instanceof InvalidInputError) return 'The document holds one operation.';
    throw error;
  }
}
