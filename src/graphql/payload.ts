/**
 * Mutations: `verbNoun(input: VerbNounInput!): VerbNounPayload`. What the caller can mend comes back in the payload's
 * `errors`, with a code from the mutation's own enum and a path into the input; what is not this caller's to do is a
 * top-level error. A mutation's permission is its action's: there is no second place.
 */
import type { InputRef } from '@pothos/core';
import type { PermissionName } from '../access/permissions.ts';
import type { Context } from '../features/context.ts';
import { InvalidInputError } from '../kernel/errors.ts';
import { withFreshGrants } from './actor.ts';
import { builder } from './builder.ts';

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

type PayloadFields<Result> = Parameters<
  ReturnType<typeof builder.objectRef<{ result: Result | null; errors: readonly InputMistake[] }>>['implement']
>[0]['fields'];

interface Definition<Input, Result> {
  readonly name: string;
  readonly description: string;
  /** What the mutation needs: its action's own permission, or why it needs none. */
  readonly policy: { readonly permission: PermissionName } | { readonly open: string };
  /** The input type, called after the mutation: `CreateUserInput`. */
  readonly input: InputRef<Input>;
  /** The codes of its errors, each with its meaning. */
  readonly codes: Readonly<Record<string, string>>;
  readonly payload: PayloadFields<Result>;
  /** It changes what the caller may do, which counts from its own answer on. */
  readonly changesGrants?: true;
  /** Whoever calls it becomes the Owner of the business that it makes. */
  readonly makesOwner?: true;
  readonly run: (ctx: Context, input: Input) => Promise<Result>;
}

/** Adds a mutation with its payload, error and error code types. */
export function defineMutation<Input extends object, Result>(definition: Definition<Input, Result>): void {
  const { name, description, policy, codes, run } = definition;
  const typeName = name[0]!.toUpperCase() + name.slice(1);
  const Code = builder.enumType(`${typeName}ErrorCode`, {
    description: `What can be wrong with the input of \`${name}\`.`,
    values: Object.fromEntries(Object.entries(codes).map(([code, meaning]) => [code, { description: meaning }])),
  });
  const Mistake = builder.objectRef<InputMistake>(`${typeName}Error`).implement({
    description: `A mistake in the input of \`${name}\`.`,
    open: 'says only what the caller sent',
    interfaces: [UserError],
    isTypeOf: (value) => 'code' in (value as object),
    fields: (t) => ({
      code: t.field({ type: Code, description: 'What is wrong, for programs.', resolve: (mistake) => mistake.code as never }),
    }),
  });
  const Payload = builder.objectRef<{ result: Result | null; errors: readonly InputMistake[] }>(`${typeName}Payload`).implement({
    description: `What \`${name}\` changed, or why it changed nothing.`,
    open: 'the mutation itself is gated, and so are the fields of what it carries',
    fields: definition.payload,
  });
  builder.objectField(Payload, 'errors', (t) =>
    t.field({ type: [Mistake], cost: 0, description: 'Empty when it was done.', resolve: ({ errors }) => [...errors] }),
  );
  builder.mutationField(name, (t) =>
    t.field({
      type: Payload,
      nullable: true,
      description,
      ...policy,
      extensions: { makesOwner: definition.makesOwner },
      args: { input: t.arg({ type: definition.input, required: true, description: 'What to do.' }) },
      resolve: async (_root, args, context) => {
        try {
          const result = await run(context.services, (args as { input: Input }).input);
          if (definition.changesGrants) context.services = await withFreshGrants(context.services);
          return { result, errors: [] };
        } catch (error) {
          if (error instanceof InvalidInputError && Object.hasOwn(codes, error.code)) {
            return { result: null, errors: [{ message: error.message, code: error.code, path: error.inputPath }] };
          }
          throw error;
        }
      },
    }),
  );
}
