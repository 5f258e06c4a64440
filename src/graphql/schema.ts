/** The whole schema, and its printed form. */
import { printSchemaWithDirectives } from '@graphql-tools/utils';
import { lexicographicSortSchema, specifiedDirectives } from 'graphql';
import '../features/index.ts';
import './explain-access.ts';
import './viewer.ts';
import { builder } from './builder.ts';
import { requiresDirective } from './policy.ts';

export const schema = builder.toSchema({ directives: [...specifiedDirectives, requiresDirective] });

/** The schema as schema.graphql holds it: sorted, with `@requires` on every gated field. */
export function printSchema(): string {
  return `${printSchemaWithDirectives(lexicographicSortSchema(schema))}\n`;
}
