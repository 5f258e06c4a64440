/** What a request costs its caller: measured before it runs, taken from the caller's quota, and told in the answer. */
import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Quotas, Standing } from '../features/quotas/service.ts';
import type { Actor } from '../kernel/actor.ts';
import { MAX_COST, MIN_COST, measureExecution, tooComplex } from './cost.ts';

/** Who is asking, and what that has cost so far. */
export interface Account {
  readonly actor: Actor;
  /** What one operation of the caller may cost. */
  readonly maximum: number;
  /** What the operation costs. */
  requested: number;
  /** How much of its quota the caller has left; undefined where there are no quotas. */
  standing: Standing | undefined;
  /** Takes units from the quota.
   * @throws GraphQLError RATE_LIMITED when there are too few: then none is taken */
  charge(units: number): Promise<void>;
}

/** Opens the account of a request that has cost nothing yet. */
export function openAccount(quotas: Quotas | undefined, actor: Actor, ip: string): Account {
  return {
    actor,
    maximum: Math.min(MAX_COST, quotas?.limitOf(actor) ?? MAX_COST),
    requested: MIN_COST,
    standing: undefined,
    async charge(units) {
      this.standing = await quotas?.take(actor, ip, units);
      if (this.standing?.isRefused) throw rateLimited(this.standing);
    },
  };
}

function rateLimited({ limit, remaining, resetSeconds }: Standing): GraphQLError {
  const message = `Of ${limit} cost units a minute ${remaining} are left, which is less than this costs. There are ${limit} again in ${resetSeconds} s.`;
  return new GraphQLError(message, { extensions: { code: 'RATE_LIMITED', http: { status: 429 } } });
}

/** Measures each operation, refuses what costs too much, and charges for the rest: all but what every request has paid for already. */
export function charging(): Plugin<{ account: Account }> {
  return {
    onExecute: async ({ args, setResultAndStopExecution }) => {
      const { account } = args.contextValue as unknown as { account: Account };
      const { cost, errors } = measureExecution(args);
      account.requested = cost;
      if (errors.length > 0) return setResultAndStopExecution({ errors });
      if (cost > account.maximum) return setResultAndStopExecution({ errors: [tooComplex(cost, account.maximum)] });
      if (cost > MIN_COST) await account.charge(cost - MIN_COST);
    },
    onResultProcess: ({ result, setResult, serverContext }) => {
      if (Array.isArray(result) || Symbol.asyncIterator in result) return;
      const { account } = serverContext as unknown as { account: Account };
      setResult({ ...result, ...statement(account) });
    },
  };
}

/** What an answer says of the account, to a known caller. */
export function statement({ actor, requested, maximum, standing }: Account): { extensions?: { cost: Record<string, number> } } {
  if (actor.kind === 'anonymous') return {};
  const quota = standing && { limit: standing.limit, remaining: standing.remaining, resetSeconds: standing.resetSeconds };
  return { extensions: { cost: { requested, maximum, ...quota } } };
}
