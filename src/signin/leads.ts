/**
 * Where somebody without an account asks to be let in, or for news. Each page is there where the environment says so, and
 * answers alike whether the address is known, in the list already, or a user's.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { findClient } from '../features/applications/service.ts';
import { passesBotCheck, poseBotCheck } from '../features/bot-checks/service.ts';
import { type Context, createContext, type Infrastructure } from '../features/context.ts';
import type { Tenancy } from '../features/environments/directory.ts';
import { countAgainstAddress } from '../features/quotas/service.ts';
import { addLead, type LeadKind } from '../features/subscribers/leads.ts';
import { hasTerms } from '../features/terms/service.ts';
import { browserToken, knownBrowserToken } from '../http/cookies.ts';
import { csrfToken } from '../http/csrf.ts';
import { limitRate, RateLimitError } from '../http/failures.ts';
import { originOf, sceneOf, sendPage } from '../http/server.ts';
import { type LeadTexts, leadDonePage, leadPage } from '../pages/lead.ts';
import { isDisposable } from '../security/disposable-mail.ts';
import { sameText } from '../security/secrets.ts';
import { foreignBrowser } from './place.ts';
import { singleFields } from './routes.ts';
import { EMAIL, emailField, readEmail } from './steps/email-field.ts';
import { name } from './steps/identifier.ts';
import { type Problem, problem } from './steps/step.ts';
import { ACCEPTED, accepts, termsOf } from './terms.ts';

/** Leads that one network address may leave in an hour, at both pages together. */
export const MAX_LEADS = 30;
const HOUR = 3600;

interface LeadPage {
  readonly path: string;
  readonly kind: LeadKind;
  readonly texts: LeadTexts;
  isOpen(tenancy: Tenancy): boolean;
}

const PAGES: readonly LeadPage[] = [
  { path: '/request-access', kind: 'accessRequest', texts: 'request_access', isOpen: ({ allowsAccessRequests }) => allowsAccessRequests },
  { path: '/subscribe', kind: 'subscriber', texts: 'subscribe', isOpen: ({ allowsSubscriptions }) => allowsSubscriptions },
];

type Fields = Readonly<Record<string, string | undefined>>;

export function leadRoutes(infrastructure: Infrastructure): (routes: FastifyInstance) => void {
  return (routes) => {
    for (const lead of PAGES) {
      const { path, texts, isOpen } = lead;
      const csrfOf = (browser: string) => csrfToken(infrastructure, browser, path);

      const show = async (request: FastifyRequest, reply: FastifyReply, from: Fields, shown?: Problem) => {
        const { tenancy } = request;
        const csrf = csrfOf(browserToken(request, reply));
        const scene = await sceneOf(request);
        const botChallenge = await poseBotCheck(infrastructure, tenancy, csrf);
        const view = { ...scene, csrf, botChallenge, problem: shown, typed: from };
        const html = leadPage({
          ...view,
          texts,
          path,
          owner: request.wayBack?.name ?? scene.brand.name,
          emailField: emailField(view, EMAIL),
          terms: termsOf(view, { tenancy }),
          hidden: whence(request, from),
        });
        return sendPage(reply, shown?.status ?? 200, html, {
          nonce: botChallenge?.kind === 'proof_of_work' ? scene.nonce : undefined,
          showsTurnstile: botChallenge?.kind === 'turnstile',
        });
      };

      routes.get(path, async (request, reply) => {
        if (!isOpen(request.tenancy)) return reply.callNotFound();
        const { client_id, lang } = singleFields(request.query);
        await comeFrom(request, { client_id, lang });
        return show(request, reply, { client_id, lang });
      });

      routes.post(path, async (request, reply) => {
        const { tenancy } = request;
        if (!isOpen(tenancy)) return reply.callNotFound();
        const form = singleFields(request.body);
        await comeFrom(request, form);
        const browser = knownBrowserToken(request);
        if (!browser || !sameText(form['csrf'] ?? '', csrfOf(browser))) throw foreignBrowser();
        const { environmentId } = tenancy;
        const ctx = createContext(infrastructure, { kind: 'user', environmentId, userId: undefined }, originOf(request));
        const wrong = await submit(ctx, tenancy, lead.kind, form);
        if (wrong) return show(request, reply, form, wrong);
        const query = new URLSearchParams(whence(request, form)).toString();
        return reply.redirect(`${tenancy.issuer}${path}/done${query && `?${query}`}`, 303);
      });

      routes.get(`${path}/done`, async (request, reply) => {
        if (!isOpen(request.tenancy)) return reply.callNotFound();
        await comeFrom(request, singleFields(request.query));
        return sendPage(reply, 200, leadDonePage(await sceneOf(request), texts, request.wayBack));
      });
    }
  };
}

/** Notes the application that somebody comes from, and the language that it speaks. An application that is not there has no name here. */
async function comeFrom(request: FastifyRequest, { client_id: clientId, lang }: Fields): Promise<void> {
  request.askedLanguage = lang ?? null;
  const client = clientId ? await findClient(request.infrastructure, request.tenancy.environmentId, clientId) : undefined;
  request.wayBack = client && !client.isDynamic ? client : null;
}

/** The same for the next page. */
function whence({ wayBack }: FastifyRequest, { client_id: clientId, lang }: Fields): Record<string, string> {
  return { ...(wayBack && clientId && { client_id: clientId }), ...(lang && { lang: lang.slice(0, 35) }) };
}

/** Checks what was typed, and takes it: undefined, or what is wrong with it. */
async function submit(ctx: Context, tenancy: Tenancy, kind: LeadKind, form: Fields): Promise<Problem | undefined> {
  const { environmentId, businessId, terms, policy } = tenancy;
  const email = readEmail(form, EMAIL.name);
  if (typeof email !== 'string') return email.problem;
  limitRate(ctx, 'auth', environmentId, { account: email.toLowerCase() });
  if (policy.refuseDisposableMail && isDisposable(email)) return problem('problem.disposable_email', EMAIL.name, 403).problem;
  const hasAccepted = hasTerms(terms) && accepts({ place: { tenancy }, form });
  if (hasTerms(terms) && terms.isRequired && !hasAccepted) return problem('problem.terms_missing', ACCEPTED).problem;
  if (!(await passesBotCheck(ctx, tenancy, form['csrf']!, form['p_bot_check']))) return problem('problem.bot_check').problem;
  const wait = await countAgainstAddress(ctx, environmentId, 'lead', MAX_LEADS, HOUR);
  if (wait !== undefined) throw new RateLimitError({ limit: MAX_LEADS, resetSeconds: wait });
  const names = { firstName: name(form['p_first_name']), lastName: name(form['p_last_name']) };
  await addLead(ctx, { kind, environmentId, businessId, email, ...names, termsVersion: hasAccepted ? terms.version : null });
  return undefined;
}
