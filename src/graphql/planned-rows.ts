/**
 * Reads what the rows of a list hold from the rows. Prisma's plugin looks up for every field of every row how the row was
 * planned, by the text of its path, which takes longer than all else about a field. The rows of a list were planned
 * together: what it finds for the first of them holds for all that have what the first has.
 */
import SchemaBuilder, { BasePlugin, createContextCache, type PothosOutputFieldConfig, type SchemaTypes } from '@pothos/core';
import { getLoaderMapping, setRowMappings } from '@pothos/selection-mapper';
import type { FieldNode, GraphQLFieldResolver, GraphQLResolveInfo } from 'graphql';

const NAME = 'plannedRows';

type Row = Readonly<Record<string, unknown>>;

/** How a field of an operation was planned. */
interface Plan {
  /** What every row holds that was planned so. */
  readonly names: readonly string[];
  /** The plans of the fields below it. */
  readonly below: Parameters<typeof setRowMappings>[2];
  readonly hasPlansBelow: boolean;
}

/** The plans of an operation, by the nodes of the field: the rows of a list share those. */
const plansOf = createContextCache(() => new Map<readonly FieldNode[], Plan>());

declare global {
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      plannedRows: PlannedRowsPlugin<Types>;
    }
  }
}

/** Stands before Prisma's plugin, which answers for all that is not known here. */
class PlannedRowsPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override wrapResolve(
    resolver: GraphQLFieldResolver<unknown, Types['Context'], object>,
    { kind, resolve, extensions }: PothosOutputFieldConfig<Types>,
  ): GraphQLFieldResolver<unknown, Types['Context'], object> {
    if (kind !== 'PrismaObject' || !resolve) return resolver;
    const column = extensions?.['pothosExposedField'] as string | undefined;
    if (column !== undefined)
      return (row, args, context, info) => {
        const value = (row as Row)[column];
        return value === undefined ? resolver(row, args, context, info) : value;
      };
    if (!extensions?.['pothosPrismaSelect']) return resolver;
    const isLoaded = extensions['pothosPrismaLoaded'] as ((row: Row, info: GraphQLResolveInfo, context: object) => boolean) | undefined;
    return (parent, args, context, info) => {
      const row = parent as Row;
      const plans = plansOf(context);
      const plan = plans.get(info.fieldNodes);
      if (plan?.names.every((name) => row[name] !== undefined)) {
        if (plan.hasPlansBelow) setRowMappings(context, info, plan.below);
        return resolve(row, args, context, info);
      }
      const mapping = plan ? undefined : getLoaderMapping(context, info.path, info.parentType.name, row);
      if (mapping && (!isLoaded || isLoaded(row, info, context)))
        plans.set(info.fieldNodes, {
          names: Object.keys(row).filter((name) => row[name] !== undefined),
          below: mapping.nested,
          hasPlansBelow: Object.keys(mapping.nested).length > 0,
        });
      return resolver(row, args, context, info);
    };
  }
}

SchemaBuilder.registerPlugin(NAME, PlannedRowsPlugin);

export const plannedRowsPlugin = NAME;
