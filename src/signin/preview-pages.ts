/** What previews show: the pages themselves, for a person, an application and codes that are plainly samples. */
import type { Client } from '../features/applications/service.ts';
import type { Context } from '../features/context.ts';
import type { Tenancy } from '../features/environments/directory.ts';
import type { PreviewedPage } from '../features/page-previews/service.ts';
import type { Attempt, Step } from '../features/sign-in-attempts/service.ts';
import type { MfaFactorKind } from '../features/sign-in-policies/service.ts';
import { hasTerms } from '../features/terms/service.ts';
import type { Paper } from '../mail/letter.ts';
import type { Mail } from '../mail/sender.ts';
import { codeMail, noAccountMail, organizationInvitationMail } from '../mail/templates.ts';
import type { FormView, StepView } from '../pages/elements.ts';
import { type PageContent, page, raw, type Scene } from '../pages/layout.ts';
import { type LeadTexts, leadDonePage, leadPage } from '../pages/lead.ts';
import { errorPage, messagePage } from '../pages/messages.ts';
import { sealPending } from './mfa.ts';
import { ownRequest } from './own-request.ts';
import { decision } from './steps/device.ts';
import { EMAIL, emailField } from './steps/email-field.ts';
import { STEPS } from './steps/index.ts';
import { acceptance } from './steps/invitation.ts';
import { challengePage } from './steps/mfa-challenge.ts';
import { organizationChoice } from './steps/organization.ts';
import { passkeyOffer } from './steps/passkey.ts';
import type { Visit } from './steps/step.ts';
import { termsOf } from './terms.ts';

const SAMPLE = {
  application: 'Sample application',
  organization: 'Sample organization',
  email: 'sample@example.com',
  phone: '+15550100000',
  /** Of nobody. */
  userId: 'kp_sample',
  code: '123456',
  userCode: 'SMPL-CODE',
  authenticatorKey: 'SAMPLESAMPLESAMPLESAMPLESAMPLE22',
  recoveryCodes: Array.from({ length: 8 }, (_, at) => `SAMPL-CODE${at}`),
  link: 'https://example.com/',
} as const;

const CLIENT: Client = {
  applicationId: 'app_sample',
  clientId: 'sample',
  name: SAMPLE.application,
  type: 'spa',
  secretHash: null,
  previousSecretHash: null,
  jwks: null,
  jwksUri: null,
  organization: null,
  emailSignIn: 'password',
  phoneSignIn: 'off',
  usernameSignIn: 'off',
  asksForNames: true,
  showsSignInLink: true,
  callbackUrls: [],
  logoutUrls: [],
  loginUri: null,
  homepageUri: null,
  accessTokenLifetime: 0,
  idTokenLifetime: 0,
  refreshTokenLifetime: 0,
  refreshTokenGracePeriod: 0,
  accessTokenClaims: [],
  idTokenClaims: [],
  machineTokenClaims: [],
  isHasuraMappingEnabled: false,
  asksMarketingConsent: true,
  isSessionPersistent: false,
  sessionInactivityTimeout: 0,
  requirePushedAuthorizationRequests: false,
  isBoundToOperations: false,
  isDynamic: false,
  apis: [],
};

const FACTORS: readonly MfaFactorKind[] = ['authenticator_app', 'email', 'sms'];

/** A person in the middle of a sign-in, who is nobody. */
function sampleVisit(ctx: Context, tenancy: Tenancy, step: Step, change: Partial<Attempt>): Visit {
  const now = ctx.clock.now();
  const attempt: Attempt = {
    environmentId: tenancy.environmentId,
    id: 'preview',
    applicationId: CLIENT.applicationId,
    browserHash: '',
    request: ownRequest(ctx, { clientId: CLIENT.clientId, redirectUri: SAMPLE.link, scopes: ['openid', 'profile', 'email'] }),
    step,
    flow: 'login',
    email: SAMPLE.email,
    phone: null,
    username: null,
    usesPhone: false,
    firstName: null,
    lastName: null,
    userId: SAMPLE.userId,
    organizationId: null,
    authTime: now,
    amr: [],
    answered: [],
    acceptedTerms: null,
    wantsMarketing: null,
    mfaProofs: [],
    mfaPending: null,
    isReset: false,
    codeHash: null,
    codeExpiresAt: null,
    codeFor: null,
    codeTries: 0,
    codeSentAt: null,
    emailSenderId: null,
    passkeyTries: 0,
    createdAt: now,
    expiresAt: now,
    ...change,
  };
  const { mfaPolicy, mfaFactors } = tenancy;
  const mfa = mfaPolicy === 'off' ? ({ mfaPolicy: 'optional', mfaFactors: FACTORS } as const) : { mfaPolicy, mfaFactors };
  // The second factors of the team's own environment hang on who somebody is.
  return { ctx, attempt, place: { client: CLIENT, tenancy: { ...tenancy, ...mfa, kind: 'production', hasRecoveryCodes: true } } };
}

/** Draws a page's content; `seal` is what an attempt keeps between two pages of the second factor. */
type Draw = (view: FormView, ctx: Context, tenancy: Tenancy) => string | Promise<string>;

/** A step's page; `draw` where its own would look for the person. */
function step(
  name: Step,
  change: (ctx: Context) => Partial<Attempt> = () => ({}),
  draw: (view: StepView, visit: Visit) => PageContent | Promise<PageContent> = STEPS[name].show,
): Draw {
  return async (view, ctx, tenancy) => {
    const visit = sampleVisit(ctx, tenancy, name, change(ctx));
    const { title, body } = await draw({ ...view, attempt: visit.attempt, applicationName: SAMPLE.application }, visit);
    // What a script would show is shown: none runs here.
    const shown = raw(String(body).replaceAll(/(<button [^>]*) hidden>/g, '$1>'));
    return page(view, { title, body: shown });
  };
}

/** Some, where the environment has none. */
function withTerms(visit: Visit): Visit {
  const { tenancy } = visit.place;
  const terms = hasTerms(tenancy.terms) ? tenancy.terms : { ...tenancy.terms, termsUri: SAMPLE.link };
  return { ...visit, place: { ...visit.place, tenancy: { ...tenancy, terms } } };
}

const lead =
  (texts: LeadTexts): Draw =>
  (view, _ctx, tenancy) =>
    leadPage({
      ...view,
      texts,
      path: '/',
      owner: SAMPLE.application,
      emailField: emailField(view, EMAIL),
      terms: termsOf(view, { tenancy }),
      hidden: {},
    });

const nobody = () => ({ email: null, userId: null });

const PAGES: Record<Exclude<PreviewedPage, `mail_${string}`>, Draw> = {
  sign_in: step('identify', nobody),
  sign_up: step('identify', () => ({ ...nobody(), flow: 'register' })),
  not_found: step('not_found'),
  provide_email: step('provide_email'),
  code: step('code'),
  password: step('password'),
  new_password: step('new_password'),
  organization: step('organization', undefined, (view) =>
    organizationChoice(
      view,
      [1, 2, 3].map((number) => ({ id: `org_sample${number}`, name: `${SAMPLE.organization} ${number}` })),
    ),
  ),
  organization_name: step('organization_name'),
  passkey_setup: step('passkey_setup', undefined, (view, { place }) => passkeyOffer(view, place.tenancy.passkeyPolicy === 'mandatory', {})),
  passkey_off: step('passkey_off'),
  invitation: step('invitation', undefined, (view) => acceptance(view, SAMPLE.organization)),
  mfa_offer: step('mfa_offer'),
  mfa_choose: step('mfa_choose'),
  mfa_app: step('mfa_app', (ctx) => sealPending(ctx, { key: SAMPLE.authenticatorKey })),
  mfa_address: step('mfa_address'),
  mfa_phone: step('mfa_phone'),
  mfa_new_code: step('mfa_new_code', (ctx) => sealPending(ctx, { address: SAMPLE.email })),
  mfa_challenge: step('mfa_challenge', undefined, (view) => {
    const app = { id: 'mfa_sample1', type: 'authenticator_app', label: null } as const;
    return challengePage(view, [app, { id: 'mfa_sample2', type: 'email', label: SAMPLE.email }], {
      factor: app,
      isSent: true,
      hasRecovery: true,
    });
  }),
  mfa_recovery: step('mfa_recovery'),
  mfa_recovery_codes: step('mfa_recovery_codes', (ctx) => sealPending(ctx, { recoveryCodes: SAMPLE.recoveryCodes })),
  terms: step('terms', undefined, (view, visit) => STEPS.terms.show(view, withTerms(visit))),
  device: step('device', undefined, (view) => decision(view, { userCode: SAMPLE.userCode, scopes: ['profile', 'email'], apiScopes: [] })),
  consent: step('consent'),
  completed: step('completed'),
  request_access: lead('request_access'),
  request_access_done: (view) => leadDonePage(view, 'request_access', null),
  subscribe: lead('subscribe'),
  subscribe_done: (view) => leadDonePage(view, 'subscribe', null),
  signed_out: (view) =>
    messagePage(view, { title: view.say('logout.title'), heading: view.say('logout.heading'), message: view.say('logout.lead') }),
  error: (view) =>
    errorPage(view, { title: view.say('error.expired.title'), message: view.say('error.expired.message'), reference: 'sample' }),
};

const MAILS: Record<Extract<PreviewedPage, `mail_${string}`>, (paper: Paper) => Mail> = {
  mail_code: (paper) =>
    codeMail(paper, { to: SAMPLE.email, code: SAMPLE.code, minutes: 120, applicationName: SAMPLE.application, purpose: 'sign_in' }),
  mail_no_account: (paper) => noAccountMail(paper, { to: SAMPLE.email, applicationName: SAMPLE.application }),
  mail_invitation: (paper) =>
    organizationInvitationMail(paper, { to: SAMPLE.email, organizationName: SAMPLE.organization, link: SAMPLE.link }),
};

export function isMail(page: PreviewedPage): page is keyof typeof MAILS {
  return Object.hasOwn(MAILS, page);
}

/** The HTML of a mail. */
export function drawMail(name: keyof typeof MAILS, paper: Paper): string {
  return MAILS[name](paper).html;
}

/** The HTML of a page. */
export async function drawPage(ctx: Context, tenancy: Tenancy, name: keyof typeof PAGES, scene: Scene): Promise<string> {
  return PAGES[name]({ ...scene, csrf: 'preview', problem: undefined, botChallenge: undefined, typed: {} }, ctx, tenancy);
}
