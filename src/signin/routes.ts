/** The hosted pages' URLs: GET shows the attempt's page, each step is a POST, and a step that succeeds redirects. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { findClient } from '../features/applications/service.ts';
import { passesBotCheck, poseBotCheck } from '../features/bot-checks/service.ts';
import { createContext, type Infrastructure } from '../features/context.ts';
import { type Attempt, findAttempt, isOver } from '../features/sign-in-attempts/service.ts';
import { knownBrowserToken, sessionToken, setSession } from '../http/cookies.ts';
import { csrfToken } from '../http/csrf.ts';
import { limitRate } from '../http/failures.ts';
import { originOf, sceneOf, sendPage } from '../http/server.ts';
import { InvalidInputError } from '../kernel/errors.ts';
import type { Destination } from '../oidc/answer.ts';
import { deliver, formTarget } from '../oidc/deliver.ts';
import { PageError } from '../oidc/errors.ts';
import { page } from '../pages/layout.ts';
import { sameText } from '../security/secrets.ts';
import { destinationOf, startOver } from './flow.ts';
import { shownIdentifier } from './identifiers.ts';
import { expired, foreignBrowser, pageOf, wayBackOf } from './place.ts';
import { STEPS } from './steps/index.ts';
import { type Problem, problem, problemText, type StepResult, type Visit } from './steps/step.ts';

interface BrowserVisit extends Visit {
  readonly csrf: string;
}

export function signInRoutes(infrastructure: Infrastructure): (routes: FastifyInstance) => void {
  return (routes) => {
    routes.get<{ Params: { id: string } }>('/signin/:id', async (request, reply) => {
      const visited = await visit(infrastructure, request, request.params.id);
      return 'by' in visited ? deliver(request, reply, visited, 302) : show(request, reply, visited);
    });

    routes.post<{ Params: { id: string; form: string } }>('/signin/:id/:form', async (request, reply) => {
      const visited = await visit(infrastructure, request, request.params.id);
      if ('by' in visited) return deliver(request, reply, visited, 303);
      const form = singleFields(request.body);
      const { attempt, place, csrf } = visited;
      if (!sameText(form['csrf'] ?? '', csrf)) throw foreignBrowser();
      // By the address where there is one: with an account and without one the same requests are counted alike.
      const typed = attempt.step === 'identify' ? (form['p_email'] || form['p_username'] || form['p_phone'])?.trim() : undefined;
      const account = (typed || shownIdentifier(attempt)).toLowerCase() || (attempt.userId ?? undefined);
      limitRate(infrastructure, 'auth', place.tenancy.environmentId, { account });
      const { forms } = STEPS[attempt.step];
      const submit = Object.hasOwn(forms, request.params.form) ? forms[request.params.form] : undefined;
      // A page from the history, or sent twice: the attempt is elsewhere by now, and so should the person be.
      if (!submit) return reply.redirect(pageOf(place.tenancy, attempt), 303);
      if (
        STEPS[attempt.step].botChecked === request.params.form &&
        !(await passesBotCheck(visited.ctx, place.tenancy, botChecked(attempt), form['p_bot_check']))
      )
        return show(request, reply, visited, problem('problem.bot_check').problem, form);
      const result = await submit({ ...visited, form, sessionToken: sessionToken(request) }).catch((error: unknown): StepResult => {
        const text = error instanceof InvalidInputError && problemText(error.code);
        if (text) return problem(text, undefined, error.code === 'TOO_MANY_CODES' ? 429 : 422);
        const again = error instanceof PageError && error.number === expired().number && startOver(visited.ctx, place, attempt);
        if (again) return { answer: again };
        throw error;
      });
      if ('problem' in result) return show(request, reply, { ...visited, attempt: result.attempt ?? attempt }, result.problem, form);
      if (result.newSession) setSession(reply, place.tenancy, result.newSession.token, result.newSession.isPersistent);
      return deliver(request, reply, destinationOf(result), 303);
    });
  };
}

/** Finds the attempt that a request is about, for the browser that started it; or where to go when it is over. */
async function visit(infrastructure: Infrastructure, request: FastifyRequest, id: string): Promise<BrowserVisit | Destination> {
  const { tenancy } = request;
  const ctx = createContext(infrastructure, { kind: 'user', environmentId: tenancy.environmentId, userId: undefined }, originOf(request));
  const browser = knownBrowserToken(request);
  const attempt = await findAttempt(ctx, tenancy.environmentId, id, browser);
  if (attempt === 'unknown') throw expired();
  if (attempt === 'foreign') throw foreignBrowser();
  request.askedLanguage = attempt.request.lang;
  request.organizationId = attempt.organizationId ?? attempt.request.organizationId;
  const client = await findClient(infrastructure, tenancy.environmentId, attempt.request.clientId);
  if (!client) throw expired();
  request.wayBack = wayBackOf(client, attempt.request.redirectUri);
  const place = { tenancy, client };
  const over = isOver(ctx, attempt);
  const destination = over && startOver(ctx, place, attempt);
  if (destination) return destination;
  if (over === 'expired') throw expired();
  return {
    ctx,
    place,
    attempt,
    csrf: csrfToken(infrastructure, browser, attempt.id),
  };
}

async function show(
  request: FastifyRequest,
  reply: FastifyReply,
  visited: BrowserVisit,
  shown?: Problem,
  typed: Readonly<Record<string, string | undefined>> = {},
): Promise<FastifyReply> {
  const { attempt, place, csrf } = visited;
  const applicationName = place.client.name;
  const scene = await sceneOf(request);
  const step = STEPS[attempt.step];
  const botChallenge = step.botChecked ? await poseBotCheck(visited.ctx, place.tenancy, botChecked(attempt)) : undefined;
  const isSentAgain = Object.hasOwn(request.query as object, 'sent');
  const { title, ...content } = await step.show(
    { ...scene, attempt, applicationName, csrf, typed, problem: shown, botChallenge, isSentAgain },
    visited,
  );
  const named = { title: `${title} – ${applicationName}`, isRefused: shown !== undefined, ...content };
  return sendPage(reply, shown?.status ?? 200, page(scene, named), {
    formAction: `'self' ${formTarget(attempt.request.redirectUri)}`,
    nonce: content.script || botChallenge?.kind === 'proof_of_work' ? scene.nonce : undefined,
    showsTurnstile: botChallenge?.kind === 'turnstile',
  });
}

/** What a challenge is posed to: one page of one attempt. */
const botChecked = ({ id, step }: Attempt) => `${id} ${step}`;

/** The fields that came once, without the NUL characters that no database stores. */
export function singleFields(body: unknown): Record<string, string | undefined> {
  const fields = Object.entries((body ?? {}) as Record<string, unknown>);
  return Object.fromEntries(fields.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value.replaceAll('\0', '')]] : [])));
}
