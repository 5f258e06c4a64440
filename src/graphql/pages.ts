/** Lists: how large a page is, and what a connection says about itself in the schema. */
import SchemaBuilder, { BasePlugin, type PothosOutputFieldConfig, type SchemaTypes } from '@pothos/core';

export const DEFAULT_PAGE = 20;
export const MAX_PAGE = 100;

const carries = 'carries what was reached through a gated field';

/** The relay plugin's options that describe its fields, arguments and types. */
export const PAGE_OPTIONS = {
  firstArgOptions: { description: `How many, from the start or after \`after\`: 0 to ${MAX_PAGE}, ${DEFAULT_PAGE} when absent.` },
  afterArgOptions: { description: 'The cursor that the page begins after.' },
  lastArgOptions: { description: `How many, from the end or before \`before\`: 0 to ${MAX_PAGE}.` },
  beforeArgOptions: { description: 'The cursor that the page ends before.' },
  defaultConnectionTypeOptions: { description: 'A page of a list.', open: carries },
  edgesFieldOptions: { description: 'The rows, each with its cursor.' },
  nodesOnConnection: { description: 'The rows without their cursors.' },
  pageInfoFieldOptions: { description: 'How the list goes on.' },
  defaultEdgeTypeOptions: { description: 'A row of a page.', open: carries },
  nodeFieldOptions: { description: 'The row itself.' },
  cursorFieldOptions: { description: 'What `after` and `before` take.' },
  pageInfoTypeOptions: { description: 'How a list goes on beyond a page.', open: carries },
  hasNextPageFieldOptions: { description: 'Whether there is more after this page.' },
  hasPreviousPageFieldOptions: { description: 'Whether there is more before this page.' },
  startCursorFieldOptions: { description: 'The first row’s cursor; null on an empty page.' },
  endCursorFieldOptions: { description: 'The last row’s cursor; null on an empty page.' },
};

const NAME = 'pages';

declare global {
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      pages: PagesPlugin<Types>;
    }
  }
}

/** Describes the one field of a connection that the relay plugin does not make. */
class PagesPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override onOutputFieldConfig(field: PothosOutputFieldConfig<Types>): PothosOutputFieldConfig<Types> {
    return field.extensions?.['pothosPrismaTotalCount'] ? { ...field, description: 'How many rows the list has in all.' } : field;
  }
}

SchemaBuilder.registerPlugin(NAME, PagesPlugin);

export const pagesPlugin = NAME;
