/** What every resolver is given: the services' context, and nothing that a resolver could go around them with. */
import type { Context } from '../features/context.ts';

export interface GraphContext {
  /** Replaced by a mutation that changes what the caller may do, for what is read after it. */
  services: Context;
}
