/** What every resolver is given: the services' context, and nothing that a resolver could go around them with. */
import type { Context } from '../features/context.ts';

export interface GraphContext {
  readonly services: Context;
}
