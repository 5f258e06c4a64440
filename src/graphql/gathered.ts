/** Reads that Prisma's plugin cannot plan, made together: a page's rows ask one by one, and are answered by one statement. */
import type { Context } from '../features/context.ts';
import type { GraphContext } from './context.ts';

/** Makes a read of one key of a read of many. What is asked for in one go is read in one. */
export function gathered<Key, Value>(
  read: (ctx: Context, keys: readonly Key[]) => Promise<ReadonlyMap<Key, Value>>,
): (context: GraphContext, key: Key) => Promise<Value | undefined> {
  const waiting = new WeakMap<GraphContext, { keys: Set<Key>; values: Promise<ReadonlyMap<Key, Value>> }>();
  return async (context, key) => {
    let batch = waiting.get(context);
    if (!batch) {
      const keys = new Set<Key>();
      const values = new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
        waiting.delete(context);
        return read(context.services, [...keys]);
      });
      batch = { keys, values };
      waiting.set(context, batch);
    }
    batch.keys.add(key);
    return (await batch.values).get(key);
  };
}
