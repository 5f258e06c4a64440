/** The tables behind Prisma's models: their columns and how they refer to one another. The only source of names in a statement. */
import { getDatamodel } from '../generated/pothos.ts';

export interface Column {
  /** Quoted. */
  readonly name: string;
  /** As Prisma calls it: String, Int, DateTime, … */
  readonly type: string;
  readonly isList: boolean;
  readonly isRequired: boolean;
}

export interface Relation {
  readonly target: string;
  readonly isList: boolean;
  /** What must be equal for a row here and a row there to belong together: quoted columns. */
  readonly on: readonly { readonly here: string; readonly there: string }[];
}

export interface Model {
  readonly name: string;
  /** Quoted. */
  readonly table: string;
  readonly columns: ReadonlyMap<string, Column>;
  readonly relations: ReadonlyMap<string, Relation>;
  /** The fields of the primary key. */
  readonly key: readonly string[];
  /** The fields of each compound unique key, by the name that Prisma gives it: `environmentId_id`. */
  readonly compoundKeys: ReadonlyMap<string, readonly string[]>;
}

/** What a Prisma client carries of its schema; the datamodel for Pothos lacks the names that the database knows. */
interface NamesInDatabase {
  readonly models: Readonly<Record<string, { dbName: string | null; fields: readonly { name: string; dbName?: string }[] }>>;
}

/** Every model of `prisma`, by name. Relations refer to the primary key of the other side, always. */
export function readModels(prisma: object): ReadonlyMap<string, Model> {
  const names = (prisma as { _runtimeDataModel: NamesInDatabase })._runtimeDataModel.models;
  const { models } = getDatamodel().datamodel;
  const keyOf = (model: string) =>
    models[model]!.primaryKey?.fields ?? models[model]!.fields.filter(({ isId }) => isId).map(({ name }) => name);
  const columnOf = (model: string, field: string) => quote(names[model]!.fields.find(({ name }) => name === field)?.dbName ?? field);
  /** The columns by which the owner of a relation refers to its target. */
  const reference = (owner: string, from: readonly string[], target: string) =>
    from.map((field, index) => ({ owner: columnOf(owner, field), target: columnOf(target, keyOf(target)[index]!) }));

  return new Map(
    Object.entries(models).map(([name, { fields, primaryKey, uniqueIndexes }]) => {
      const relations = fields
        .filter(({ kind }) => kind === 'object')
        .map(({ name: field, type: target, isList, relationName, relationFromFields }): [string, Relation] => {
          if (relationFromFields && relationFromFields.length > 0) {
            const on = reference(name, relationFromFields, target).map((pair) => ({ here: pair.owner, there: pair.target }));
            return [field, { target, isList, on }];
          }
          const other = models[target]!.fields.find(
            (candidate) => candidate.relationName === relationName && (candidate.relationFromFields?.length ?? 0) > 0,
          );
          const on = reference(target, other?.relationFromFields ?? [], name).map((pair) => ({ here: pair.target, there: pair.owner }));
          return [field, { target, isList, on }];
        })
        .filter(([, { on }]) => on.length > 0);
      const columns = fields
        .filter(({ kind }) => kind !== 'object')
        .map(({ name: field, type, isList, isRequired }): [string, Column] => [
          field,
          { name: columnOf(name, field), type, isList, isRequired },
        ]);
      const compounds = [...(primaryKey ? [primaryKey] : []), ...uniqueIndexes];
      return [
        name,
        {
          name,
          table: quote(names[name]!.dbName ?? name),
          columns: new Map(columns),
          relations: new Map(relations),
          key: keyOf(name),
          compoundKeys: new Map(compounds.map((key) => [key.name ?? key.fields.join('_'), key.fields])),
        },
      ];
    }),
  );
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
