/**
 * A page whose rows came with their parent, as most clients read it: only its `nodes`. Prisma's plugin makes an edge and
 * a cursor for each row of every page; here they are made when something asks for them.
 */
import SchemaBuilder, { BasePlugin, type PothosOutputFieldConfig, type SchemaTypes } from '@pothos/core';
import type { PageArguments } from './page-limits.ts';
import { DEFAULT_PAGE } from './pages.ts';

const NAME = 'lazyPages';

/** What Prisma's plugin makes of a page. */
interface Page {
  readonly edges: unknown;
  readonly pageInfo: unknown;
  readonly totalCount: unknown;
}

class LazyPage implements Page {
  readonly #rows: readonly unknown[];
  readonly #size: number;
  readonly #make: () => Page;
  #page: Page | undefined;

  /** @param rows - one more than the page holds, if there are more */
  constructor(rows: readonly unknown[], size: number, make: () => Page) {
    this.#rows = rows;
    this.#size = size;
    this.#make = make;
  }

  get nodes(): readonly unknown[] {
    return this.#rows.length > this.#size ? this.#rows.slice(0, this.#size) : this.#rows;
  }

  get edges() {
    return this.#whole.edges;
  }

  get pageInfo() {
    return this.#whole.pageInfo;
  }

  get totalCount() {
    return this.#whole.totalCount;
  }

  get #whole(): Page {
    this.#page ??= this.#make();
    return this.#page;
  }
}

declare global {
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      lazyPages: LazyPagesPlugin<Types>;
    }
  }
}

class LazyPagesPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override onOutputFieldConfig(field: PothosOutputFieldConfig<Types>): PothosOutputFieldConfig<Types> {
    const { resolve } = field;
    if (!resolve) return field;
    if (field.name === 'nodes' && field.parentType.endsWith('Connection'))
      return { ...field, resolve: (page, ...rest) => (page instanceof LazyPage ? page.nodes : resolve(page, ...rest)) };
    const relation = field.extensions?.['pothosPrismaRelationField'] as { readonly name: string; readonly isList: boolean } | undefined;
    if (!relation || field.type.kind === 'List' || !relation.isList) return field;
    return {
      ...field,
      resolve: (row, args, context, info) => {
        const rows = (row as Record<string, unknown>)[relation.name];
        const { first, last, before } = args as PageArguments;
        const make = () => resolve(row, args, context, info) as Page;
        return rows && last == null && before == null ? new LazyPage(rows as unknown[], first ?? DEFAULT_PAGE, make) : make();
      },
    };
  }
}

SchemaBuilder.registerPlugin(NAME, LazyPagesPlugin);

export const lazyPagesPlugin = NAME;
