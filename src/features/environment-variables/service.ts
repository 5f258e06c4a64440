/**
 * An environment's variables. The value of a sensitive one is sealed as it is written: nobody reads it again, and it is
 * replaced only by deleting the variable and making it anew.
 */
import type { PermissionName } from '../../access/permissions.ts';
import type { EnvironmentVariable } from '../../db/generated/client/client.ts';
import { InvalidInputError } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { audit } from '../audit/service.ts';
import { action, atVersion, type Context, environmentScope, NEXT_VERSION, type Scope, scopeOfRow } from '../context.ts';

const PURPOSE = 'environment variable';
const MAX_VALUE = 10_000;

export interface CreateEnvironmentVariableInput {
  readonly environmentId?: string | null | undefined;
  readonly key: string;
  readonly value: string;
  readonly isSensitive?: boolean | null | undefined;
}

/** Makes a variable.
 * @throws InvalidInputError INVALID_KEY, KEY_TAKEN, TOO_LONG or INVALID_TEXT */
export const createEnvironmentVariable = action({
  permission: 'create:environment_variables',
  scope: (ctx, input: CreateEnvironmentVariableInput, permission) => environmentScope(ctx, input.environmentId, permission),
  async run(ctx, input, scope): Promise<EnvironmentVariable> {
    const { environmentId } = scope;
    const { key } = input;
    const isSensitive = input.isSensitive ?? false;
    if (!/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(key))
      throw new InvalidInputError('INVALID_KEY', 'A key is 1 to 128 letters, digits and underscores, and does not begin with a digit.', [
        'key',
      ]);
    const value = checkValue(input.value);
    if (await ctx.db.environmentVariable.findUnique({ where: { environmentId_key: { environmentId, key } } }))
      throw new InvalidInputError('KEY_TAKEN', 'Another variable has this key.', ['key']);
    const variable = await ctx.db.environmentVariable.create({
      data: { environmentId, id: newId('environmentVariable'), key, value: isSensitive ? seal(ctx, value) : value, isSensitive },
    });
    await note(ctx, scope, 'created', variable);
    return variable;
  },
});

export interface UpdateEnvironmentVariableInput {
  readonly environmentVariableId: string;
  readonly value?: string | null | undefined;
  readonly isSensitive?: boolean | null | undefined;
  readonly expectedVersion?: number | null | undefined;
}

/** Gives a variable another value, or makes it sensitive, for good.
 * @throws InvalidInputError SENSITIVE for one that is sensitive already, TOO_LONG, INVALID_TEXT or CONFLICT */
export const updateEnvironmentVariable = action({
  permission: 'update:environment_variables',
  scope: (ctx, input: UpdateEnvironmentVariableInput, permission) => variableScope(ctx, permission, input.environmentVariableId),
  async run(ctx, input, scope): Promise<EnvironmentVariable> {
    const { environmentId } = scope;
    const { environmentVariableId: id } = input;
    // Held until the transaction ends: nobody writes a plain value over one that was sealed in the meantime.
    await ctx.db.$queryRaw`SELECT id FROM environment_variables WHERE environment_id = ${environmentId} AND id = ${id} FOR UPDATE`;
    const where = { environmentId_id: { environmentId, id } };
    const before = await ctx.db.environmentVariable.findUniqueOrThrow({ where });
    if (before.isSensitive)
      throw new InvalidInputError('SENSITIVE', 'A sensitive variable stays as it is: delete it, and make it anew.', []);
    const value = input.value == null ? before.value : checkValue(input.value);
    const isSensitive = input.isSensitive ?? false;
    const variable = await ctx.db.environmentVariable.update({
      where: { ...where, ...atVersion(input) },
      data: { value: isSensitive ? seal(ctx, value) : value, isSensitive, ...NEXT_VERSION },
    });
    await note(ctx, scope, 'updated', variable);
    return variable;
  },
});

/** Deletes a variable. */
export const deleteEnvironmentVariable = action({
  permission: 'delete:environment_variables',
  scope: (ctx, input: { readonly environmentVariableId: string }, permission) =>
    variableScope(ctx, permission, input.environmentVariableId),
  async run(ctx, { environmentVariableId: id }, scope): Promise<{ deletedId: string }> {
    const { environmentId } = scope;
    const variable = await ctx.db.environmentVariable.delete({ where: { environmentId_id: { environmentId, id } } });
    await note(ctx, scope, 'deleted', variable);
    return { deletedId: id };
  },
});

function variableScope(ctx: Context, permission: PermissionName, id: string): Promise<Scope> {
  return scopeOfRow(ctx, permission, 'environment variable', 'environmentVariableId', (environmentId) =>
    ctx.db.environmentVariable.findFirst({ where: { ...(environmentId && { environmentId }), id }, select: { environmentId: true } }),
  );
}

/** A value is kept as it was sent, spaces and line breaks included. */
function checkValue(value: string): string {
  if (value.length > MAX_VALUE) throw new InvalidInputError('TOO_LONG', `This is longer than ${MAX_VALUE} characters.`, ['value']);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(value))
    throw new InvalidInputError('INVALID_TEXT', 'This holds control characters.', ['value']);
  return value;
}

function seal(ctx: Context, value: string): string {
  return ctx.vault.seal(PURPOSE, value);
}

async function note(ctx: Context, scope: Scope, what: string, { id, key, isSensitive }: EnvironmentVariable): Promise<void> {
  await audit(ctx, {
    ...scope,
    action: `environment_variable.${what}`,
    target: { type: 'environment_variable', id },
    details: { key, isSensitive },
  });
}
