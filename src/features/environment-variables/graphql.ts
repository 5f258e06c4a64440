/** An environment's variables in the graph. What is sensitive is written, and never read. */
import { builder } from '../../graphql/builder.ts';
import { Node, registerNode } from '../../graphql/node.ts';
import { changed, defineMutation, deletedId } from '../../graphql/payload.ts';
import { createEnvironmentVariable, deleteEnvironmentVariable, updateEnvironmentVariable } from './service.ts';

export const EnvironmentVariable = builder.prismaObject('EnvironmentVariable', {
  description: 'Something that an environment’s own programs are told.',
  interfaces: [Node],
  select: { environmentId: true, id: true },
  permission: 'read:environment_variables',
  fields: (t) => ({
    id: t.exposeID('id', { open: 'it was reached through a gated field', description: 'The variable’s id.' }),
    key: t.exposeString('key', { nullable: true, description: 'Its name, which cannot be changed.' }),
    value: t.string({
      nullable: true,
      description: 'Its value; null for a sensitive one, which nobody reads.',
      select: { isSensitive: true, value: true },
      resolve: ({ isSensitive, value }) => (isSensitive ? null : value),
    }),
    isSensitive: t.exposeBoolean('isSensitive', { nullable: true, description: 'Whether its value is kept from everybody, for good.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: true, description: 'When it was made.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', nullable: true, description: 'When it was last changed.' }),
    version: t.exposeInt('version', { nullable: true, description: 'Counts its changes: what `expectedVersion` takes.' }),
  }),
});

registerNode('environmentVariable', {
  typeName: 'EnvironmentVariable',
  permission: 'read:environment_variables',
  tenant: 'environmentId',
  find: (prisma, query) => prisma.environmentVariable.findFirst(query),
});

builder.prismaObjectField('Environment', 'variables', (t) =>
  t.relatedConnection('variables', {
    cursor: 'environmentId_id',
    totalCount: true,
    nullable: true,
    permission: 'read:environment_variables',
    description: 'Its variables, oldest first.',
    query: { orderBy: { id: 'asc' } },
  }),
);

const VALUE_CODES = { TOO_LONG: 'The value is too long.', INVALID_TEXT: 'The value holds control characters.' };

defineMutation({
  name: 'createEnvironmentVariable',
  description: 'Makes a variable of an environment.',
  policy: { permission: createEnvironmentVariable.permission },
  codes: { ...VALUE_CODES, INVALID_KEY: 'Not usable as a key.', KEY_TAKEN: 'The key is in use.' },
  input: (t) => ({
    environmentId: t.id({ description: 'A machine token may leave it out: its own.' }),
    key: t.string({
      required: true,
      description: '1 to 128 letters, digits and underscores, not beginning with a digit; unique in the environment. It cannot be changed.',
    }),
    value: t.string({ required: true, description: 'At most 10000 characters, kept as they are.' }),
    isSensitive: t.boolean({ description: 'Whether nobody may read the value again. Absent: false.' }),
  }),
  run: (ctx, input) => createEnvironmentVariable(ctx, input),
  payload: (t) => ({ environmentVariable: changed(t, 'EnvironmentVariable', 'The new variable.') }),
});

defineMutation({
  name: 'updateEnvironmentVariable',
  description: 'Gives a variable another value, or makes it sensitive, for good. A sensitive one stays as it is.',
  policy: { permission: updateEnvironmentVariable.permission },
  versioned: true,
  codes: { ...VALUE_CODES, SENSITIVE: 'It is sensitive: it can only be deleted.' },
  input: (t) => ({
    environmentVariableId: t.id({ required: true, description: 'The variable.' }),
    value: t.string({ description: 'At most 10000 characters, kept as they are. Absent: unchanged.' }),
    isSensitive: t.boolean({ description: 'True makes it sensitive, which cannot be undone. Absent: unchanged.' }),
  }),
  run: (ctx, input) => updateEnvironmentVariable(ctx, input),
  payload: (t) => ({ environmentVariable: changed(t, 'EnvironmentVariable', 'The variable.') }),
});

defineMutation({
  name: 'deleteEnvironmentVariable',
  description: 'Deletes a variable.',
  policy: { permission: deleteEnvironmentVariable.permission },
  previews: true,
  codes: {},
  input: (t) => ({ environmentVariableId: t.id({ required: true, description: 'The variable.' }) }),
  run: (ctx, input) => deleteEnvironmentVariable(ctx, input),
  payload: (t) => ({ deletedId: deletedId(t) }),
});
