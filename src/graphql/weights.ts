/**
 * What a field costs by itself, and how many rows it is taken for: declared once, counted by cost.ts, and printed in
 * schema.graphql by the directives of the GraphQL Cost Directives specification, so that tools can count beforehand.
 */
import SchemaBuilder, { BasePlugin, type PothosOutputFieldConfig, type SchemaTypes } from '@pothos/core';
import {
  DirectiveLocation,
  GraphQLBoolean,
  GraphQLDirective,
  type GraphQLField,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  GraphQLString,
} from 'graphql';
import { DEFAULT_PAGE } from './pages.ts';

/** What counting a whole list costs. */
export const COUNT_COST = 10;
/** What a mutation costs; one that works on many things at once costs it for each. */
export const MUTATION_COST = 10;
/** How many rows a list without pages is taken for. */
export const LIST_SIZE = 5;

const NAME = 'weights';

interface Weights {
  /** What the field costs by itself, where that is not what its kind costs. 0 for a list says that its rows cost nothing either. */
  readonly cost?: number;
  /** For a mutation of many `items`: all of it counts once for each of them. */
  readonly perItem?: true;
}

declare global {
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      weights: WeightsPlugin<Types>;
    }
    export interface FieldOptions<
      Types extends SchemaTypes,
      ParentShape,
      Type extends import('@pothos/core').TypeParam<Types>,
      Nullable extends import('@pothos/core').FieldNullability<Type>,
      Args extends import('@pothos/core').InputFieldMap,
      ResolveShape,
      ResolveReturnShape,
    > extends Weights {}
  }
}

const strings = new GraphQLList(new GraphQLNonNull(GraphQLString));

export const costDirectives = [
  new GraphQLDirective({
    name: 'cost',
    description: 'What the field costs by itself. Without it rows cost 1, and everything else costs nothing.',
    locations: [DirectiveLocation.FIELD_DEFINITION],
    args: { weight: { type: new GraphQLNonNull(GraphQLString), description: 'A number of cost units.' } },
  }),
  new GraphQLDirective({
    name: 'listSize',
    description: 'How many rows the field is taken for. What is selected of a row is counted that many times.',
    locations: [DirectiveLocation.FIELD_DEFINITION],
    args: {
      assumedSize: { type: GraphQLInt, description: 'The number, where no argument says it.' },
      slicingArguments: { type: strings, description: 'The arguments that say it.' },
      sizedFields: { type: strings, description: 'The fields below it that hold the rows.' },
      requireOneSlicingArgument: { type: GraphQLBoolean, defaultValue: true, description: 'Whether one of the arguments has to be there.' },
    },
  }),
];

/** What a field counts for. */
export interface Weight {
  /** By itself; undefined where only its rows count. */
  readonly cost: number | undefined;
  /** Whether it is a page, a list without pages, something for each item of the input, or a single thing. */
  readonly holds: 'page' | 'list' | 'items' | 'one';
}

/** What a field of the schema counts for. */
export function weightOf(field: GraphQLField<unknown, unknown>): Weight {
  return field.extensions[NAME] as Weight;
}

class WeightsPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override onOutputFieldConfig(field: PothosOutputFieldConfig<Types>): PothosOutputFieldConfig<Types> {
    const weight: Weight = { cost: costOf(field), holds: this.kindOf(field) };
    return {
      ...field,
      extensions: {
        ...field.extensions,
        [NAME]: weight,
        directives: { ...(field.extensions?.['directives'] as object | undefined), ...printed(weight) },
      },
    };
  }

  private kindOf({ args, type, name, pothosOptions }: PothosOutputFieldConfig<Types>): Weight['holds'] {
    if ('first' in args) return 'page';
    if ((pothosOptions as Weights).perItem) return 'items';
    if ((pothosOptions as Weights).cost === 0) return 'one';
    if (type.kind !== 'List' || SIZED_FIELDS.includes(name)) return 'one';
    const row = type.type;
    return row.kind === 'Object' || row.kind === 'Interface' || row.kind === 'Union' ? 'list' : 'one';
  }
}

function costOf(field: { kind: string; name: string; pothosOptions: unknown }): number | undefined {
  const { cost } = field.pothosOptions as Weights;
  if (cost !== undefined) return cost;
  if (field.kind === 'Mutation') return MUTATION_COST;
  return field.name === 'totalCount' ? COUNT_COST : undefined;
}

/** The fields of a connection that hold its rows. */
export const SIZED_FIELDS: readonly string[] = ['edges', 'nodes'];

function printed({ cost, holds }: Weight): object {
  return {
    ...(cost !== undefined && { cost: { weight: String(cost) } }),
    ...(holds === 'list' && { listSize: { assumedSize: LIST_SIZE } }),
    ...(holds === 'items' && {
      listSize: { slicingArguments: ['input.items'], sizedFields: ['results'] },
    }),
    ...(holds === 'page' && {
      listSize: {
        assumedSize: DEFAULT_PAGE,
        slicingArguments: ['first', 'last'],
        sizedFields: SIZED_FIELDS,
        requireOneSlicingArgument: false,
      },
    }),
  };
}

SchemaBuilder.registerPlugin(NAME, WeightsPlugin);

export const weightsPlugin = NAME;
