/** Signing in with a passkey, from the first page; and making one, once a person is proved otherwise. */
import { inTransaction } from '../../features/context.ts';
import { readAnswer, requestOptions } from '../../features/passkeys/ceremonies.ts';
import {
  addPasskey,
  declinePasskey,
  enrolmentOptions,
  findPasskey,
  passkeyPolicyFor,
  provePasskey,
} from '../../features/passkeys/service.ts';
import { type Attempt, passkeyChallenge, takePasskeyChallenge } from '../../features/sign-in-attempts/service.ts';
import { tryProof } from '../../features/sign-in-failures/service.ts';
import type { TextKey } from '../../languages/texts.ts';
import { aside, back, banner, form, type StepView, submit } from '../../pages/elements.ts';
import { type Html, html, type PageContent } from '../../pages/layout.ts';
import { type AuthenticationMethod, proof } from '../flow.ts';
import { expired } from '../place.ts';
import { answered, mayMakePasskey, proceed } from '../tail.ts';
import { switchFlow } from './identifier.ts';
import { problem, type StepDefinition, type StepRequest, type StepResult, type Visit } from './step.ts';

const SCRIPT = 'passkey.js';

/** The button on the first page, where people sign in with passkeys; nothing where they do not. */
export async function passkeyButton(view: StepView, visit: Visit): Promise<Pick<PageContent, 'script'> & { readonly body: Html | '' }> {
  if ((await policyOf(visit)) === 'off') return { body: '' };
  const { say } = view;
  const options = await requestOptions(visit.place.tenancy.issuer, passkeyChallenge(visit.ctx, visit.attempt));
  const body = form(
    view,
    'passkey',
    html`<p class="or">${say('passkey.or')}</p>
${ceremony('get', options)}<button class="choice" type="button" hidden>${say('passkey.sign_in')}</button>
${withoutScript(say('passkey.needs_script'))}${onFailure(say('passkey.failed'))}`,
  );
  return { body, script: SCRIPT };
}

/** What the script reads: what to ask the browser for, and where the answer goes. */
function ceremony(kind: 'get' | 'create', options: object): Html {
  return html`<input type="hidden" name="p_passkey" value="" data-passkey="${kind}" data-options="${JSON.stringify(options)}">`;
}

function withoutScript(text: string): Html {
  return html`<noscript><p class="aside">${text}</p></noscript>`;
}

function onFailure(text: string): Html {
  return html`<p class="problem" role="alert" data-passkey-failed hidden>${text}</p>`;
}

/** The posted answer to the challenge of the first page. */
export async function submitPasskey(request: StepRequest): Promise<StepResult> {
  const { ctx, place, attempt } = request;
  const { tenancy } = place;
  if ((await policyOf(request)) === 'off') return problem('problem.passkeys_off', undefined, 403);
  const { challenge, refuse } = await take(request);
  const answer = readAnswer(request.form['p_passkey'], 'signature');
  const passkey = challenge && answer && (await findPasskey(ctx, tenancy.environmentId, answer.id));
  if (!challenge || !answer) return refuse('problem.passkey_failed');
  if (!passkey) return refuse('problem.passkey_unknown');
  const { userId } = passkey;
  const result = await tryProof(ctx, tenancy, { userId }, 'passkey', () => provePasskey(ctx, tenancy.issuer, challenge, passkey, answer));
  if (result === 'locked') return refuse('problem.locked', 429);
  if (result === 'wrong') return refuse('problem.passkey_failed');
  const methods: AuthenticationMethod[] = [
    passkey.isSyncable ? 'swk' : 'hwk',
    'user',
    ...(tenancy.isPasskeyMultiFactor ? (['mfa'] as const) : []),
  ];
  // Nobody typed an address: the one that the attempt may hold is somebody else's.
  return proceed(
    ctx,
    place,
    attempt,
    { userId, email: null, phone: null, username: null, ...proof(ctx, attempt, ...methods) },
    request.sessionToken,
  );
}

/** After a sign-in by other means: would the person like a passkey, or, where everybody has one, here it is made. */
export const passkeySetupStep: StepDefinition = {
  show: offer,
  forms: { passkey: enrol, later: decline, switch: switchFlow },
};

async function offer(view: StepView, visit: Visit): Promise<PageContent> {
  const { ctx, attempt } = visit;
  const isMandatory = (await policyOf(visit)) === 'mandatory';
  return passkeyOffer(
    view,
    isMandatory,
    await enrolmentOptions(ctx, enrolment(visit, passkeyChallenge(ctx, attempt)), view.applicationName),
  );
}

export function passkeyOffer(view: StepView, isMandatory: boolean, options: object): PageContent {
  const { say } = view;
  return {
    title: say('passkey_setup.title'),
    script: SCRIPT,
    body: html`<h1>${say(isMandatory ? 'passkey_setup.heading_mandatory' : 'passkey_setup.heading')}</h1>
<p class="lead">${say('passkey_setup.lead')}</p>
${banner(view)}${form(
  view,
  'passkey',
  html`${ceremony('create', options)}<button class="primary" type="button" hidden>${say('passkey_setup.create')}</button>
${withoutScript(say(isMandatory ? 'passkey_setup.needs_script' : 'passkey.needs_script'))}
<p class="banner" role="alert" data-passkey-missing hidden>${say(isMandatory ? 'passkey_setup.no_passkeys_mandatory' : 'passkey_setup.no_passkeys')}</p>
${onFailure(say('passkey.failed'))}`,
)}
${isMandatory ? back(view, say('passkey_setup.back')) : aside(view, 'later', { label: say('passkey_setup.later') })}`,
  };
}

async function enrol(request: StepRequest): Promise<StepResult> {
  const { ctx, place, attempt, sessionToken } = request;
  const { userId } = enrolment(request, '');
  if (!(await mayMakePasskey(ctx, place.tenancy, userId, attempt.mfaProofs))) return proceed(ctx, place, attempt, {}, sessionToken);
  const { challenge, refuse } = await take(request);
  const answer = readAnswer(request.form['p_passkey'], 'attestationObject');
  const isAdded = challenge && answer && (await addPasskey(ctx, place.tenancy, enrolment(request, challenge), answer));
  return isAdded ? answered(ctx, place, attempt, 'passkey', sessionToken) : refuse('problem.passkey_failed');
}

/** "Not now", which holds for the sign-ins to come. */
async function decline(request: StepRequest): Promise<StepResult> {
  const { ctx, place, attempt, sessionToken } = request;
  const { environmentId, userId } = enrolment(request, '');
  if ((await policyOf(request)) === 'mandatory') return problem('problem.passkey_mandatory', undefined, 403);
  return inTransaction(ctx, async (tx) => {
    await declinePasskey(tx, environmentId, userId);
    return answered(tx, place, attempt, 'passkey', sessionToken);
  });
}

/** For whoever came by a passkey to an organization that takes none. */
export const passkeyOffStep: StepDefinition = {
  show: (view) => {
    const { say } = view;
    return {
      title: say('passkey_off.title'),
      body: html`<h1>${say('passkey_off.title')}</h1>
<p class="lead">${say('passkey_off.lead')}</p>
${form(view, 'switch', html`<input type="hidden" name="flow" value="login">${submit(say('passkey_off.back'))}`)}`,
    };
  },
  forms: { switch: switchFlow },
};

function policyOf({ ctx, place, attempt }: Visit) {
  return passkeyPolicyFor(ctx, place.tenancy, attempt.organizationId ?? attempt.request.organizationId);
}

/** Only who was proved in this very attempt gets a passkey: a session that was left open is not enough. */
function enrolment({ place, attempt: { environmentId, userId, authTime } }: Visit, challenge: string) {
  if (!userId || !authTime) throw expired();
  return { issuer: place.tenancy.issuer, environmentId, userId, challenge };
}

/** Uses the challenge of the page up, whatever the answer is; the page that is shown again has the next one. */
async function take({
  ctx,
  attempt,
}: StepRequest): Promise<{ challenge: string | undefined; refuse: (text: TextKey, status?: number) => StepResult }> {
  const isTaken = await takePasskeyChallenge(ctx, attempt);
  const next: Attempt = { ...attempt, passkeyTries: attempt.passkeyTries + 1 };
  return {
    challenge: isTaken ? passkeyChallenge(ctx, attempt) : undefined,
    refuse: (text, status) => ({ ...problem(text, undefined, status), attempt: next }),
  };
}
