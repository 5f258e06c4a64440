/**
 * Who asks by a page to be let in, or for news. The page only writes a job, whatever the list holds already: so neither
 * its answer nor its time tells who is in it.
 */
import { newId } from '../../kernel/ids.ts';
import { audit } from '../audit/service.ts';
import { type Context, createContext, type Infrastructure, inTransaction, type Origin } from '../context.ts';

export type LeadKind = 'subscriber' | 'accessRequest';

/** What was typed on the page, checked. */
export interface Lead {
  readonly kind: LeadKind;
  readonly environmentId: string;
  readonly businessId: string;
  readonly email: string;
  readonly firstName: string | null;
  readonly lastName: string | null;
  /** Of the terms that were accepted along with it. */
  readonly termsVersion: number | null;
}

interface Sealed extends Lead {
  readonly origin: Pick<Origin, 'ip' | 'requestId'>;
}

/** Has a lead added to its list, if it is not in there yet. */
export async function addLead(ctx: Context, lead: Lead): Promise<void> {
  const { ip, requestId } = ctx.origin;
  const sealed: Sealed = { ...lead, origin: { ip, requestId } };
  await ctx.jobs.enqueue(ctx.db, 'lead', { sealed: ctx.vault.seal('lead', JSON.stringify(sealed)) });
}

/** Starts adding leads to their lists in this process. */
export async function registerLeadJobs(infrastructure: Infrastructure): Promise<void> {
  await infrastructure.jobs.work('lead', async ({ sealed }) => {
    const { origin, ...lead } = JSON.parse(infrastructure.vault.open('lead', sealed)) as Sealed;
    const { environmentId } = lead;
    await inTransaction(createContext(infrastructure, { kind: 'user', environmentId, userId: undefined }, origin), (ctx) =>
      keepLead(ctx, lead),
    );
  });
}

/** Adds a lead, unless its address is in the list: what somebody else types changes no entry. */
async function keepLead(ctx: Context, { kind, businessId, ...lead }: Lead): Promise<void> {
  // Both tables have the same columns.
  const entries = ctx.db[kind] as Context['db']['subscriber'];
  const { environmentId, email } = lead;
  const id = newId(kind);
  const { count } = await entries.createMany({ data: [{ ...lead, id, normalized: email.toLowerCase() }], skipDuplicates: true });
  if (count === 0) return;
  const noun = kind === 'subscriber' ? 'subscriber' : 'access_request';
  await audit(ctx, { businessId, environmentId, action: `${noun}.created`, target: { type: noun, id }, details: { byPage: true } });
}
