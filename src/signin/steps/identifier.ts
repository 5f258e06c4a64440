/** The first page: an address, a username or a phone number, and for sign-up a name. Decides which method comes next. */

import type { Context } from '../../features/context.ts';
import { passwordState } from '../../features/credentials/service.ts';
import { type AttemptChange, type Flow, type Step, updateAttempt } from '../../features/sign-in-attempts/service.ts';
import { isInvited } from '../../features/team/service.ts';
import { isUsername } from '../../features/text.ts';
import { addressOf, findUserIdBy, findWayIn, isSuspended } from '../../features/users/service.ts';
import { aside, back, banner, botCheck, field, form, nameField, type StepView, submit } from '../../pages/elements.ts';
import { type Html, html, type PageContent, rich } from '../../pages/layout.ts';
import { signUpProblem } from '../admission.ts';
import { type Asked, askedAt, type Identifier, shownIdentifier, usesPassword } from '../identifiers.ts';
import { type Place, pageOf } from '../place.ts';
import { signUpTerms, withTerms } from '../terms.ts';
import { askForCode } from './code.ts';
import { EMAIL, emailField, readEmail } from './email-field.ts';
import { invitedTo } from './invitation.ts';
import { passkeyButton, submitPasskey } from './passkey.ts';
import { phoneFields, readPhone } from './phone-fields.ts';
import { type Problem, problem, type StepDefinition, type StepRequest, type StepResult, type Visit } from './step.ts';

export const identifyStep: StepDefinition = {
  show: async (view, visit) => {
    const { ctx, place, attempt } = visit;
    const asked = await askedAt(ctx, place, attempt);
    const invitedInto = await invitedTo(visit);
    const fields = await identifierFields(view, visit, asked, invitedInto !== null, attempt.flow === 'login' || !place.client.asksForNames);
    if (attempt.flow === 'register') return register(view, visit, html`${fields}${signUpTerms(view, place)}`, asked, invitedInto);
    const { body, script } = await passkeyButton(view, visit);
    return {
      ...login(
        view,
        visit,
        html`${fields}${botCheck(view)}${submit(view.say('page.continue'))}`,
        html`${instead(view, asked)}${body}`,
        invitedInto,
      ),
      script,
    };
  },
  botChecked: 'identify',
  forms: { identify: withTerms(submitIdentifier), passkey: submitPasskey, switch: switchFlow },
};

export const notFoundStep: StepDefinition = { show: accountNotFound, forms: { switch: switchFlow } };

function login(view: StepView, visit: Visit, fields: Html, others: Html, organization: string | null): PageContent {
  const { say } = view;
  return {
    title: say('login.title'),
    body: html`<h1>${say('login.heading')}</h1>
${purpose(view, organization)}
${banner(view)}${form(view, 'identify', fields)}
${others}
${asksForAccess(visit) ? requestAccess(view, visit, say('login.no_account')) : ''}
${offersSignUp(visit) ? aside(view, 'switch', { before: say('login.no_account'), label: say('login.create_account'), hidden: to('register') }) : ''}`,
  };
}

function register(view: StepView, visit: Visit, fields: Html, asked: Asked, organization: string | null): PageContent {
  const { say, typed, attempt } = view;
  const { client, tenancy } = visit.place;
  const isForSome = tenancy.policy.allowSelfSignUp && tenancy.policy.allowedDomains.length > 0;
  const names = html`<div class="pair">
${nameField(view, 'first_name', { isFirst: true, value: typed['p_first_name'] ?? attempt.firstName })}
${nameField(view, 'last_name', { value: typed['p_last_name'] ?? attempt.lastName })}
</div>`;
  return {
    title: say('register.title'),
    body: html`<h1>${say('register.heading')}</h1>
${purpose(view, organization)}
${banner(view)}${form(view, 'identify', html`${client.asksForNames ? names : ''}${fields}${botCheck(view)}${submit(say('page.continue'))}`)}
${instead(view, asked)}
${isForSome || asksForAccess(visit) ? requestAccess(view, visit) : ''}
${client.showsSignInLink ? aside(view, 'switch', { before: say('register.have_account'), label: say('register.sign_in'), hidden: to('login') }) : ''}`,
  };
}

function accountNotFound(view: StepView, visit: Visit): PageContent {
  const { say, attempt } = view;
  return {
    title: say('not_found.title'),
    body: html`<h1>${say('not_found.title')}</h1>
<p class="lead">${rich(view, 'not_found.lead', { identifier: shownIdentifier(attempt) })}</p>
${asksForAccess(visit) ? requestAccess(view, visit) : ''}
${offersSignUp(visit) ? form(view, 'switch', html`${to('register')}${submit(say('not_found.create'))}`) : ''}
${back(view, say('not_found.back'))}`,
  };
}

/** May somebody sign up who is here? To a team people are invited by address, whichever way they come. */
function offersSignUp({ place: { tenancy }, attempt: { request, email } }: Visit): boolean {
  return tenancy.policy.allowSelfSignUp || !!request.invitationId || (tenancy.kind === 'account' && email !== null);
}

/** Does the environment let nobody sign up by themselves, but ask to be let in? */
function asksForAccess({ place: { tenancy }, attempt }: Visit): boolean {
  return !tenancy.policy.allowSelfSignUp && tenancy.allowsAccessRequests && !attempt.request.invitationId;
}

/** The way to the page on which people ask to be let in, where there is one. */
function requestAccess({ say, basePath, language }: StepView, { place: { client, tenancy } }: Visit, before?: string): Html | '' {
  if (!tenancy.allowsAccessRequests) return '';
  const query = new URLSearchParams({ client_id: client.clientId, lang: language });
  return html`<p class="aside">${before ? `${before} ` : ''}<a href="${basePath}/request-access?${query.toString()}">${say('request_access.link')}</a></p>`;
}

function to(flow: Flow): Html {
  return html`<input type="hidden" name="flow" value="${flow}">`;
}

/** The way to another kind of identifier. */
function instead(view: StepView, { instead }: Asked): Html | '' {
  if (!instead) return '';
  const hidden = html`${to(view.attempt.flow)}<input type="hidden" name="identifier" value="${instead}">`;
  return aside(view, 'switch', { label: view.say(`page.use_${instead}`), hidden });
}

/** What the person came for. */
function purpose({ say, applicationName }: StepView, organization: string | null): Html {
  return html`<p class="lead">${organization ? say('page.join', { organization }) : say('page.purpose', { application: applicationName })}</p>`;
}

/** What is typed to be known by. Who signs up with a username gives an address as well. */
async function identifierFields(
  view: StepView,
  { attempt, place }: Visit,
  asked: Asked,
  isInvited: boolean,
  isFirst: boolean,
): Promise<Html> {
  if (asked.field === 'phone') {
    const { defaultCountry } = place.tenancy.policy;
    return phoneFields(view, attempt.phone, defaultCountry, isFirst);
  }
  if (attempt.flow === 'login' && asked.field === 'username') return username(view, true, isFirst);
  if (attempt.flow === 'login' && asked.field === 'either') return emailOrUsername(view);
  const hasUsername = asked.field === 'username' || asked.field === 'either';
  const email = emailField(view, { ...EMAIL, known: attempt.email, isFixed: isInvited, isFirst: isFirst && !hasUsername });
  return html`${hasUsername ? username(view, asked.field === 'username', isFirst) : ''}${email}`;
}

function emailOrUsername(view: StepView): Html {
  const { say, typed, attempt } = view;
  return field(view, {
    ...EMAIL,
    label: say('page.email_or_username'),
    value: typed['p_email'] ?? attempt.username ?? attempt.email,
    isFirst: true,
    attributes: html`dir="ltr" autocomplete="username" autocapitalize="off" spellcheck="false" maxlength="254" required`,
  });
}

function username(view: StepView, isRequired: boolean, isFirst: boolean): Html {
  const { say, typed, attempt } = view;
  return field(view, {
    name: 'p_username',
    label: isRequired ? say('page.username') : say('page.optional', { label: say('page.username') }),
    value: typed['p_username'] ?? attempt.username,
    isFirst,
    attributes: html`dir="ltr" autocomplete="username" autocapitalize="off" spellcheck="false" maxlength="64" ${isRequired ? 'required' : ''}`,
  });
}

/** What was typed: what the person is to be found by, and what the attempt keeps of it. */
interface Typed extends Identifier {
  readonly change: Required<Pick<AttemptChange, 'email' | 'phone' | 'username'>>;
}

type Names = Pick<AttemptChange, 'firstName' | 'lastName'>;

const NOTHING = { email: null, phone: null, username: null };

async function submitIdentifier({ ctx, place, attempt, form: typed }: StepRequest): Promise<StepResult> {
  const asked = await askedAt(ctx, place, attempt);
  const identifier = await (asked.field === 'phone' ? readNumber(typed) : readText({ ctx, place, attempt }, asked, typed));
  if ('problem' in identifier) return identifier;
  const { invitationId, loginHint } = attempt.request;
  if (invitationId && identifier.change.email?.toLowerCase() !== loginHint?.toLowerCase())
    return problem('problem.invitation_for_other', 'p_email', 403);
  return goOn({ ctx, place, attempt }, identifier, { firstName: name(typed['p_first_name']), lastName: name(typed['p_last_name']) });
}

async function readNumber(typed: StepRequest['form']): Promise<Typed | { problem: Problem }> {
  const phone = await readPhone(typed);
  return typeof phone === 'string' ? { type: 'phone', value: phone, change: { ...NOTHING, phone } } : phone;
}

/** An address or a username; of who signs up with a username both. */
async function readText(
  { ctx, place: { tenancy }, attempt: { environmentId, flow } }: Visit,
  { field }: Asked,
  typed: StepRequest['form'],
): Promise<Typed | { problem: Problem }> {
  if (!field) return problem('problem.email_sign_in_off', undefined, 403);
  const email = (typed['p_email'] ?? '').trim();
  const username = (typed['p_username'] ?? '').trim();
  if (flow === 'login' && (field === 'username' || (field === 'either' && email && !email.includes('@'))))
    return readUsername(field === 'username' ? username : email, field === 'username' ? 'p_username' : 'p_email');
  if (!email && field === 'either' && flow === 'login') return problem('problem.email_or_username_missing', 'p_email');
  const address = readEmail(typed, 'p_email');
  if (typeof address !== 'string') return address;
  const found: Typed = { type: 'email', value: address, change: { ...NOTHING, email: address } };
  if (flow === 'login' || field === 'email' || (field === 'either' && !username)) return found;
  const chosen = readUsername(username, 'p_username');
  if ('problem' in chosen) return chosen;
  // With enumeration protection that is told to who has proved an address, once for each.
  if (!tenancy.policy.hasEnumerationProtection && (await findUserIdBy(ctx, environmentId, 'username', username)))
    return problem('problem.username_taken', 'p_username');
  return { ...found, change: { ...found.change, username } };
}

function readUsername(username: string, at: string): Typed | { problem: Problem } {
  if (!username) return problem('problem.username_missing', at);
  if (!isUsername(username)) return problem('problem.invalid_username', at);
  return { type: 'username', value: username, change: { ...NOTHING, username } };
}

/** To the page that comes next for whoever was typed. */
async function goOn({ ctx, place, attempt }: Visit, { type, value, change }: Typed, names: Names): Promise<StepResult> {
  const { tenancy, client } = place;
  const { environmentId } = tenancy;
  const isByPassword = attempt.flow === 'login' && usesPassword(client, { ...change, flow: attempt.flow });
  const userId = await whoIsMeant(ctx, place, { type, value }, isByPassword);
  const email = type === 'username' && userId ? ((await addressOf(ctx, environmentId, userId)) ?? null) : change.email;
  const known = { ...change, email, userId: userId ?? null };
  if (tenancy.policy.hasEnumerationProtection) return goOnBlindly({ ctx, place, attempt }, { ...known, ...names }, isByPassword);
  const to = async (step: Step) => {
    await updateAttempt(ctx, attempt, { step, ...known });
    return { location: pageOf(tenancy, attempt) };
  };
  if (!userId) {
    const isInvitedToTeam = tenancy.kind === 'account' && type === 'email' && (await isInvited(ctx, value));
    if (attempt.flow === 'login' && !isInvitedToTeam) return to('not_found');
    return (await signUpProblem(ctx, tenancy, attempt, email)) ?? askForCode(ctx, place, attempt, { ...known, ...names });
  }
  if (await isSuspended(ctx, environmentId, userId)) return problem('problem.suspended', undefined, 403);
  if (isByPassword && (await passwordState(ctx, environmentId, userId)) !== 'none') return to('password');
  if (!known.email && !known.phone) return problem('problem.no_address', undefined, 403);
  // Who has an account signs in by proving the address: signing up twice makes nobody a stranger.
  return askForCode(ctx, place, attempt, known);
}

/** Whom an identifier means. One that leads into nobody's account is as good as unknown, unless a password is asked for: that says who it is. */
async function whoIsMeant(
  ctx: Context,
  { tenancy: { environmentId, policy } }: Place,
  { type, value }: Identifier,
  isByPassword: boolean,
): Promise<string | undefined> {
  const found = await findWayIn(ctx, environmentId, type, value);
  if (!found || found.leadsIn) return found?.userId;
  if (!isByPassword) return undefined;
  // Where it is asked for whether there is one or not, nothing may tell.
  const isAsked = policy.hasEnumerationProtection || (await passwordState(ctx, environmentId, found.userId)) !== 'none';
  return isAsked ? found.userId : undefined;
}

/** With enumeration protection the next page follows from what was asked for alone, and not from whether there is an
 * account: what became of that is for who reads the messages, or knows the password. */
async function goOnBlindly(
  { ctx, place, attempt }: Visit,
  change: AttemptChange & { readonly email: string | null },
  isByPassword: boolean,
): Promise<StepResult> {
  const { tenancy } = place;
  const refusal = attempt.flow === 'register' ? await signUpProblem(ctx, tenancy, attempt, change.email) : undefined;
  if (refusal) return refusal;
  if (!isByPassword) return askForCode(ctx, place, attempt, change);
  await updateAttempt(ctx, attempt, { ...change, step: 'password' });
  return { location: pageOf(tenancy, attempt) };
}

/** To the other of the two first pages, and back to the first page from any other. */
export async function switchFlow({ ctx, place, attempt, form }: StepRequest): Promise<StepResult> {
  const flow: Flow = form['flow'] === 'register' ? 'register' : 'login';
  const { identifier } = form;
  await updateAttempt(ctx, attempt, {
    step: 'identify',
    flow,
    ...(identifier !== undefined && { usesPhone: identifier === 'phone' }),
    // The address of who typed a username was not typed here: it is shown to nobody.
    ...(attempt.username && attempt.flow === 'login' && { email: null }),
    userId: null,
    organizationId: null,
    isReset: false,
    authTime: null,
    amr: [],
    mfaProofs: [],
    mfaPending: null,
    answered: [],
    acceptedTerms: null,
    wantsMarketing: null,
  });
  return { location: pageOf(place.tenancy, attempt) };
}

/** A name as it was typed: on one line, and not too long. */
export function name(text: string | undefined): string | null {
  return (
    text
      ?.replace(/\p{Cc}/gu, ' ')
      .trim()
      .slice(0, 100) || null
  );
}
