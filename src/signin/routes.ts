/** The hosted pages' URLs: GET shows the attempt's page, each step is a POST, and a step that succeeds redirects. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { findClient } from '../features/applications/service.ts';
import { type Context, createContext, type Infrastructure } from '../features/context.ts';
import { deviceToConfirm } from '../features/device-authorizations/service.ts';
import type { Tenancy } from '../features/environments/directory.ts';
import { organizationName, organizationsOfUser } from '../features/organizations/service.ts';
import { type Attempt, findAttempt, isOver, type Step } from '../features/sign-in-attempts/service.ts';
import { knownBrowserToken, sessionToken, setSession } from '../http/cookies.ts';
import { basePathOf, originOf, sendPage } from '../http/server.ts';
import { InvalidInputError } from '../kernel/errors.ts';
import type { Destination } from '../oidc/answer.ts';
import { deliver, formTarget } from '../oidc/deliver.ts';
import { deviceCodeGone, invitationGone, PageError } from '../oidc/errors.ts';
import { signInPage } from '../pages/sign-in.ts';
import { sameText } from '../security/secrets.ts';
import { consentDecided, deviceDecided, expired, invitationConfirmed, organizationChosen, type Place, startOver } from './flow.ts';
import { resendCode, submitCode } from './strategies/email-code.ts';
import { submitIdentifier, switchFlow } from './strategies/identifier.ts';
import { forgotPassword, submitNewPassword, submitPassword } from './strategies/password.ts';
import { type Problem, problem, type StepRequest, type StepResult } from './strategies/strategy.ts';

/** What each form of the pages does, and on which pages it is found. */
const STEPS: Record<string, { on: readonly Step[]; submit: (request: StepRequest) => Promise<StepResult> }> = {
  identify: { on: ['identify'], submit: submitIdentifier },
  switch: { on: ['identify', 'not_found', 'code', 'password'], submit: switchFlow },
  code: { on: ['code'], submit: submitCode },
  resend: { on: ['code'], submit: resendCode },
  password: { on: ['password'], submit: submitPassword },
  forgot: { on: ['password'], submit: forgotPassword },
  new_password: { on: ['new_password'], submit: submitNewPassword },
  organization: { on: ['organization'], submit: submitOrganization },
  device: { on: ['device'], submit: submitDevice },
  consent: { on: ['consent'], submit: submitConsent },
  invitation: {
    on: ['invitation'],
    submit: ({ ctx, place, attempt, sessionToken }) => invitationConfirmed(ctx, place, attempt, sessionToken),
  },
};

interface Visit {
  readonly ctx: Context;
  readonly tenancy: Tenancy;
  readonly place: Place;
  readonly attempt: Attempt;
  readonly csrf: string;
}

export function signInRoutes(infrastructure: Infrastructure): (routes: FastifyInstance) => void {
  return (routes) => {
    routes.get<{ Params: { id: string } }>('/signin/:id', async (request, reply) => {
      const visited = await visit(infrastructure, request, request.params.id);
      return 'by' in visited ? deliver(reply, request.tenancy, visited, 302) : show(reply, visited);
    });

    routes.post<{ Params: { id: string; step: string } }>('/signin/:id/:step', async (request, reply) => {
      const visited = await visit(infrastructure, request, request.params.id);
      if ('by' in visited) return deliver(reply, request.tenancy, visited, 303);
      const form = singleFields(request.body);
      const { tenancy, attempt, csrf } = visited;
      if (!sameText(form['csrf'] ?? '', csrf)) throw foreignBrowser();
      const step = Object.hasOwn(STEPS, request.params.step) ? STEPS[request.params.step] : undefined;
      // A page from the history, or sent twice: the attempt is elsewhere by now, and so should the person be.
      if (!step?.on.includes(attempt.step)) return reply.redirect(`${tenancy.issuer}/signin/${attempt.id}`, 303);
      const result = await step
        .submit({ ctx: visited.ctx, place: visited.place, attempt, form, sessionToken: sessionToken(request) })
        .catch((error: unknown): StepResult => {
          if (error instanceof InvalidInputError) return problem(error.message, undefined, error.code === 'TOO_MANY_CODES' ? 429 : 422);
          const again = error instanceof PageError && error.number === expired().number && startOver(visited.ctx, visited.place, attempt);
          if (again) return { answer: again };
          throw error;
        });
      if ('problem' in result) return show(reply, visited, result.problem, form);
      if (result.sessionToken) setSession(reply, tenancy, result.sessionToken, visited.place.client.isSessionPersistent);
      return deliver(reply, tenancy, 'answer' in result ? result.answer : { by: 'redirect', location: result.location }, 303);
    });
  };
}

/** Finds the attempt that a request is about, for the browser that started it; or where to go when it is over. */
async function visit(infrastructure: Infrastructure, request: FastifyRequest, id: string): Promise<Visit | Destination> {
  const { tenancy } = request;
  const ctx = createContext(infrastructure, { kind: 'user', environmentId: tenancy.environmentId, userId: undefined }, originOf(request));
  const browser = knownBrowserToken(request);
  const attempt = await findAttempt(ctx, tenancy.environmentId, id, browser);
  if (attempt === 'unknown') throw expired();
  if (attempt === 'foreign') throw foreignBrowser();
  const client = await findClient(infrastructure, tenancy.environmentId, attempt.request.clientId);
  if (!client) throw expired();
  const place = { tenancy, client };
  const over = isOver(ctx, attempt);
  const destination = over && startOver(ctx, place, attempt);
  if (destination) return destination;
  if (over === 'expired') throw expired();
  return {
    ctx,
    tenancy,
    place,
    attempt,
    csrf: infrastructure.vault.mac('csrf', `${browser} ${attempt.id}`).toString('base64url'),
  };
}

async function show(
  reply: FastifyReply,
  { ctx, tenancy, place, attempt, csrf }: Visit,
  shown?: Problem,
  typed: Readonly<Record<string, string | undefined>> = {},
): Promise<FastifyReply> {
  const { request, step, userId } = attempt;
  const organizations = step === 'organization' && userId ? await organizationsOfUser(ctx, tenancy.environmentId, userId) : [];
  const invitedTo = request.invitationId ? await organizationName(ctx, tenancy.environmentId, request.organizationId!) : null;
  if (invitedTo === undefined) throw invitationGone();
  const device = step === 'device' && (await deviceToConfirm(ctx, attempt));
  if (device === undefined) throw deviceCodeGone();
  const page = signInPage({
    attempt,
    applicationName: place.client.name,
    organizations,
    invitedTo,
    device: device || null,
    basePath: basePathOf(tenancy),
    csrf,
    typed,
    ...(shown && { problem: shown }),
  });
  return sendPage(reply, shown?.status ?? 200, page, { formAction: `'self' ${formTarget(request.redirectUri)}` });
}

async function submitOrganization({ ctx, place, attempt, form, sessionToken: token }: StepRequest): Promise<StepResult> {
  const chosen = form['p_organization'];
  if (!chosen) return problem('Choose one of the organizations.');
  return organizationChosen(ctx, place, attempt, chosen, token);
}

async function submitDevice({ ctx, place, attempt, form, sessionToken: token }: StepRequest): Promise<StepResult> {
  const decision = form['p_decision'];
  if (decision !== 'allow' && decision !== 'refuse') return problem('Allow it, or refuse it.');
  return deviceDecided(ctx, place, attempt, decision === 'allow', token);
}

async function submitConsent({ ctx, place, attempt, form, sessionToken: token }: StepRequest): Promise<StepResult> {
  const decision = form['p_decision'];
  if (decision !== 'allow' && decision !== 'deny') return problem('Allow it, or do not.');
  return consentDecided(ctx, place, attempt, decision === 'allow', token);
}

/** The fields that came once, without the NUL characters that no database stores. */
export function singleFields(body: unknown): Record<string, string | undefined> {
  const fields = Object.entries((body ?? {}) as Record<string, unknown>);
  return Object.fromEntries(fields.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value.replaceAll('\0', '')]] : [])));
}

export function foreignBrowser(): PageError {
  return new PageError(
    403,
    'This page belongs to another browser',
    'For your safety a sign-in stays in the browser that started it, with cookies allowed. Go back to the application and start again.',
    8809,
  );
}
