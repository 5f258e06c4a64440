/** The whole schema, and its printed form. */
import { printSchemaWithDirectives } from '@graphql-tools/utils';
import { lexicographicSortSchema, specifiedDirectives } from 'graphql';
import '../features/index.ts';
import './explain-access.ts';
import './viewer.ts';
import { builder } from './builder.ts';
import { requiresDirective } from './policy.ts';
import { costDirectives } from './weights.ts';

export const schema = builder.toSchema({ directives: [...specifiedDirectives, requiresDirective, ...costDirectives] });

/** The schema as schema.graphql holds it: sorted, with what each field takes (`@requires`) and costs (`@cost`, `@listSize`). */
export function printSchema(): string {
  return `${printSchemaWithDirectives(lexicographicSortSchema(schema))}\n`;
}
