/**
 * Mutations: `verbNoun(input: VerbNounInput!): VerbNounPayload`. What the caller can mend comes back in the payload's
 * `errors`, with a code from the mutation's own enum and a path into the input; what is not this caller's to do is a
 * top-level error. A mutation's permission is its action's: there is no second place.
 */
import type { InputFieldMap, InputShapeFromFields } from '@pothos/core';
import type { GraphQLResolveInfo } from 'graphql';
import type { PermissionName } from '../access/permissions.ts';
import type PrismaTypes from '../db/generated/pothos.ts';
import { type Context, dryRun } from '../features/context.ts';
import type { Effects } from '../features/effects.ts';
import { once } from '../features/idempotency/service.ts';
import { InvalidInputError, InvalidInputErrors } from '../kernel/errors.ts';
import { digestOf } from '../security/secrets.ts';
import { withFreshGrants } from './actor.ts';
import { builder, bytesOf, isUpload } from './builder.ts';
import type { GraphContext } from './context.ts';
import { findChanged } from './node.ts';
import { Preview } from './preview.ts';

/** One mistake in an input. */
export interface InputMistake {
  readonly message: string;
  readonly code: string;
  readonly path: readonly string[];
}

const UserError = builder.interfaceRef<InputMistake>('UserError').implement({
  description: 'A mistake in a mutation’s input. Nothing was changed.',
  open: 'says only what the caller sent',
  fields: (t) => ({
    message: t.exposeString('message', { description: 'A sentence for the person at the form.' }),
    path: t.exposeStringList('path', { description: 'The field within the input, outermost first; empty when it is about no single one.' }),
  }),
});

/** What can be wrong with a text, and what it means. */
export const TEXT_CODES = {
  REQUIRED: 'The field must not be empty.',
  TOO_LONG: 'The text is too long.',
  INVALID_TEXT: 'The text holds control characters.',
};

/** For what a business's plan may refuse. */
export const PLAN_CODES = { PLAN_LIMIT: 'The business’s plan does not allow it.' };

/** Items of a bulk mutation. */
export const MAX_ITEMS = 100;

/** What a mutation's payload is made of. */
interface Answer<Result> {
  readonly result: Result | null;
  readonly errors: readonly InputMistake[];
  readonly preview?: Effects;
}

type PayloadFields<Result> = Parameters<ReturnType<typeof builder.objectRef<Answer<Result>>>['implement']>[0]['fields'];
type ObjectRef = Parameters<typeof builder.objectField>[0];
type InputFields = Parameters<NonNullable<Parameters<typeof builder.inputType>[1]['fields']>>[0];

/** An action, or as much of it. */
type MutationPolicy =
  // biome-ignore lint/suspicious/noExplicitAny: each action knows its own input
  { readonly permission: PermissionName; readonly besides?: (input: any) => readonly PermissionName[] } | { readonly open: string };

/** The policy as the field declares it. `inputOf` finds what the action is given, which may not be known yet. */
function declared(policy: MutationPolicy, inputOf: (input: unknown) => object | null | undefined) {
  if ('open' in policy) return { open: policy.open };
  const { permission, besides } = policy;
  const argumentPermissions = ({ input }: { readonly input?: unknown }) => {
    const given = inputOf(input);
    return given ? (besides?.(given) ?? []) : [];
  };
  return { permission, argumentPermissions };
}

/** What a versioned mutation's action is given besides its own fields. */
export interface Versioned {
  readonly expectedVersion?: number | null | undefined;
}

interface Definition<Fields extends InputFieldMap, Result> {
  readonly name: string;
  readonly description: string;
  /** What the mutation needs: its action's own permission and what its input takes besides, or why it needs none. */
  readonly policy: MutationPolicy;
  /** The fields of its input. */
  readonly input: (t: InputFields) => Fields;
  /** The codes of its errors, each with its meaning. */
  readonly codes: Readonly<Record<string, string>>;
  readonly payload: PayloadFields<Result>;
  /** It changes what the caller may do, which counts from its own answer on. */
  readonly changesGrants?: true;
  /** Whoever calls it becomes the Owner of the business that it makes. */
  readonly makesOwner?: true;
  /** It is about the caller itself as a person: a machine is no such caller. */
  readonly forPeople?: true;
  /** It destroys something or changes what people may do: it takes `dryRun`, and then only shows what it would do. */
  readonly previews?: true;
  /** It waits for a server elsewhere: no transaction is kept open around it, and an Idempotency-Key has no meaning. */
  readonly isOutside?: true;
  /** It may have millions of rows to write, for which it has an hour. */
  readonly takesLong?: true;
  /** It updates a row with a version: it takes `expectedVersion`. Its action uses `atVersion` and `NEXT_VERSION`. */
  readonly versioned?: true;
  /** A twin, as `createUsers`, that does it for each of up to {@link MAX_ITEMS} inputs, with a result for each. */
  readonly bulk?: { readonly name: string; readonly description: string };
}

/** What a mutation does. */
type Work<Fields extends InputFieldMap, Result> =
  | { readonly run: (ctx: Context, input: InputShapeFromFields<Fields> & Versioned) => Promise<Result> }
  /** Of an action that prepares: beforehand, outside of the transaction. */
  | { readonly prepare: (ctx: Context, input: InputShapeFromFields<Fields>) => Promise<(ctx: Context) => Promise<Result>> };

/** Adds a mutation with its input, payload, error and error code types, and its bulk twin where it has one. */
export function defineMutation<Fields extends InputFieldMap, Result>(definition: Definition<Fields, Result> & Work<Fields, Result>): void {
  const { name, description, policy, previews, versioned, bulk } = definition;
  const codes = {
    ...definition.codes,
    ...(versioned && { CONFLICT: 'Somebody else has changed it since the version that was expected.' }),
  };
  const typeName = capital(name);
  const Input = builder.inputType(`${typeName}Input`, {
    description: `What \`${name}\` takes.`,
    fields: (t) => ({
      ...definition.input(t),
      ...(versioned && {
        expectedVersion: t.int({
          description: 'The `version` that the caller has read; with another one nothing is changed. Absent: any.',
        }),
      }),
      ...(previews && {
        dryRun: t.boolean({ description: 'Only show, in `preview`, what it would change. Absent: false.' }),
      }),
    }),
  });
  const Payload = builder.objectRef<Answer<Result>>(`${typeName}Payload`).implement({
    description: `What \`${name}\` changed, or why it changed nothing.`,
    open: 'the mutation itself is gated, and so are the fields of what it carries',
    fields: definition.payload,
  });
  if (previews)
    builder.objectField(Payload, 'preview', (t) =>
      t.field({
        type: Preview,
        nullable: true,
        description: 'What it would change; null unless `dryRun` was asked for.',
        resolve: ({ preview }) => preview ?? null,
      }),
    );
  addErrors(name, codes, Payload);

  const perform = async (context: GraphContext, input: object, place: string): Promise<Answer<Result>> => {
    const services = definition.takesLong ? { ...context.services, transactionSeconds: 3600 } : context.services;
    const given = input as InputShapeFromFields<Fields> & Versioned;
    try {
      const run = 'prepare' in definition ? await definition.prepare(services, given) : (ctx: Context) => definition.run(ctx, given);
      if ((input as { dryRun?: boolean | null }).dryRun) return { result: null, errors: [], preview: await dryRun(services, run) };
      const result = await (definition.isOutside
        ? run(services)
        : once(services, { place, request: async () => [name, await withDigests(input)] }, run));
      if (definition.changesGrants) context.services = await withFreshGrants(context.services);
      return { result, errors: [] };
    } catch (error) {
      return { result: null, errors: mistakesOf(error, codes) };
    }
  };
  builder.mutationField(name, (t) =>
    t.field({
      type: Payload,
      nullable: true,
      description,
      ...declared(policy, (input) => input as object | undefined),
      extensions: { makesOwner: definition.makesOwner, forPeople: definition.forPeople },
      args: { input: t.arg({ type: Input, required: true, description: 'What to do.' }) },
      resolve: (_root, args, context, info) => perform(context, (args as unknown as { input: object }).input, placeOf(info)),
    }),
  );
  if (bulk) defineBulk({ ...bulk, policy }, Input, Payload, perform as never);
}

/** Adds the mutation that does each of its `items`, one after the other, each by itself. */
function defineBulk(
  { name, description, policy }: Pick<Definition<InputFieldMap, unknown>, 'name' | 'description' | 'policy'>,
  Item: ReturnType<typeof builder.inputType>,
  ItemPayload: ObjectRef,
  perform: (context: GraphContext, input: object, place: string) => Promise<Answer<unknown>>,
): void {
  const codes = { REQUIRED: 'There are no items.', TOO_MANY: `There are more than ${MAX_ITEMS} items.` };
  const Input = builder.inputType(`${capital(name)}Input`, {
    description: `What \`${name}\` takes.`,
    fields: (t) => ({ items: t.field({ type: [Item], required: true, description: `1 to ${MAX_ITEMS} of them.` }) }),
  });
  const Payload = builder
    .objectRef<{ results: readonly (Answer<unknown> | Error)[]; errors: readonly InputMistake[] }>(`${capital(name)}Payload`)
    .implement({
      description: `What \`${name}\` did, item by item.`,
      open: 'the mutation itself is gated, and so are the fields of what it carries',
      fields: (t) => ({
        results: t.field({
          type: [ItemPayload as never],
          cost: 0,
          nullable: { list: false, items: true },
          description:
            'A result for each item, in their order. An item that was not this caller’s to do is null, with an error at its place.',
          resolve: ({ results }) => results as never,
        }),
      }),
    });
  addErrors(name, codes, Payload);
  builder.mutationField(name, (t) =>
    t.field({
      type: Payload,
      nullable: true,
      description: `${description} Each item is done by itself: one that fails leaves the others as they are.`,
      ...declared(policy, (input) => (input as { items?: readonly object[] } | undefined)?.items?.[0]),
      perItem: true,
      args: { input: t.arg({ type: Input, required: true, description: 'What to do.' }) },
      resolve: async (_root, args, context, info) => {
        const { items } = args.input as { items: object[] };
        if (items.length === 0 || items.length > MAX_ITEMS) {
          const code = items.length === 0 ? 'REQUIRED' : 'TOO_MANY';
          return { results: [], errors: [{ code, message: codes[code], path: ['items'] }] };
        }
        const results: (Answer<unknown> | Error)[] = [];
        for (const [index, item] of items.entries())
          results.push(await perform(context, item, `${placeOf(info)} ${index}`).catch((error: Error) => error));
        return { results, errors: [] };
      },
    }),
  );
}

/** Adds the `errors` of a payload, with the mutation's own error type and codes; of no type of its own where nothing can be wrong. */
function addErrors(name: string, codes: Readonly<Record<string, string>>, Payload: ObjectRef): void {
  const type = Object.keys(codes).length > 0 ? errorType(name, codes) : UserError;
  builder.objectField(Payload, 'errors', (t) =>
    t.field({
      type: [type as typeof UserError],
      cost: 0,
      description: 'Empty when it was done.',
      resolve: (answer) => (answer as Answer<unknown>).errors as InputMistake[],
    }),
  );
}

function errorType(name: string, codes: Readonly<Record<string, string>>) {
  const Code = builder.enumType(`${capital(name)}ErrorCode`, {
    description: `What can be wrong with the input of \`${name}\`.`,
    values: Object.fromEntries(Object.entries(codes).map(([code, meaning]) => [code, { description: meaning }])),
  });
  return builder.objectRef<InputMistake>(`${capital(name)}Error`).implement({
    description: `A mistake in the input of \`${name}\`.`,
    open: 'says only what the caller sent',
    interfaces: [UserError],
    isTypeOf: (value) => 'code' in (value as object),
    fields: (t) => ({
      code: t.field({ type: Code, description: 'What is wrong, for programs.', resolve: (mistake) => mistake.code as never }),
    }),
  });
}

/** What the caller can mend; anything else is thrown on. */
function mistakesOf(error: unknown, codes: Readonly<Record<string, string>>): InputMistake[] {
  const mistakes = error instanceof InvalidInputErrors ? error.mistakes : error instanceof InvalidInputError ? [error] : [];
  if (mistakes.length === 0 || !mistakes.every(({ code }) => Object.hasOwn(codes, code))) throw error;
  return mistakes.map(({ message, code, inputPath }) => ({ message, code, path: inputPath }));
}

function placeOf({ path }: GraphQLResolveInfo): string {
  return String(path.key);
}

/** The input with each file replaced by what identifies its content. */
async function withDigests(input: object): Promise<object> {
  const entries = Object.entries(input).map(async ([field, value]) => {
    return [field, isUpload(value) ? await digestOf(await bytesOf(value)) : value];
  });
  return Object.fromEntries(await Promise.all(entries));
}

function capital(name: string): string {
  return name[0]!.toUpperCase() + name.slice(1);
}

type PayloadFieldBuilder<Result> = Parameters<NonNullable<PayloadFields<Result>>>[0];

/** What an action answers with about a row it has changed. */
type ChangedRow = Parameters<typeof findChanged>[2];

/** A payload's field for the row that the action answered with, read as the document asks for it. `row` finds it in a larger answer. */
export function changed<Result>(
  t: PayloadFieldBuilder<Result>,
  type: keyof PrismaTypes & string,
  description: string,
  row: (result: NonNullable<Result>) => ChangedRow | null = (result) => result as unknown as ChangedRow,
) {
  return t.prismaField({
    type: type as 'User',
    nullable: true,
    description,
    resolve: (query, { result }, _args, context) => {
      const found = result && row(result);
      return (found ? findChanged(context, query, found) : null) as never;
    },
  });
}

/** A payload's field for the id of what is no more. */
export function deletedId<Result extends { readonly deletedId: string }>(t: PayloadFieldBuilder<Result>) {
  return t.id({ nullable: true, description: 'What was deleted.', resolve: ({ result }) => result?.deletedId ?? null });
}
