/** Applications in the graph. A client secret is in the answer of what made it, and nowhere else ever. */
import { builder } from '../../graphql/builder.ts';
import { Node, registerNode } from '../../graphql/node.ts';
import { changed, defineMutation, deletedId, PLAN_CODES, TEXT_CODES } from '../../graphql/payload.ts';
import { revokePreviousSecret, rotateApplicationSecret } from './secrets/service.ts';
import {
  type ApplicationType,
  createApplication,
  deleteApplication,
  type EmailSignIn,
  INACTIVITY_BOUNDS,
  type PhoneSignIn,
  type UsernameSignIn,
  updateApplication,
} from './service.ts';

export const ApplicationTypeEnum = builder.enumType('ApplicationType', {
  description: 'What kind of OAuth client an application is.',
  values: {
    REG: { value: 'reg', description: 'Back-end web: keeps a secret.' },
    SPA: { value: 'spa', description: 'Front-end and mobile: public, with PKCE.' },
    M2M: { value: 'm2m', description: 'Machine to machine: keeps a secret, no person signs in.' },
    DEVICE: { value: 'device', description: 'Devices without a browser: public.' },
  },
});

const EmailSignInEnum = builder.enumType('EmailSignIn', {
  description: 'How people sign in with an email address.',
  values: {
    CODE: { value: 'code', description: 'By a mailed one-time code.' },
    PASSWORD: { value: 'password', description: 'By a password; the address is proved by a code once.' },
    OFF: { value: 'off', description: 'Not at all.' },
  },
});

const PhoneSignInEnum = builder.enumType('PhoneSignIn', {
  description: 'How people sign in with a phone number.',
  values: {
    CODE: { value: 'code', description: 'By a one-time code in a text message.' },
    OFF: { value: 'off', description: 'Not at all.' },
  },
});

const UsernameSignInEnum = builder.enumType('UsernameSignIn', {
  description: 'How people sign in with a username.',
  values: {
    CODE: { value: 'code', description: 'By a one-time code, mailed to the address of whoever has the name.' },
    PASSWORD: { value: 'password', description: 'By a password.' },
    OFF: { value: 'off', description: 'Not at all.' },
  },
});

export const Application = builder.prismaObject('Application', {
  description: 'An OAuth client of an environment.',
  interfaces: [Node],
  select: { environmentId: true, id: true },
  permission: 'read:applications',
  fields: (t) => ({
    id: t.exposeID('id', { open: 'it was reached through a gated field', description: 'The application’s id: `app_` and the client id.' }),
    clientId: t.string({
      nullable: true,
      description: '`client_id` in the protocol: the end of its id, or the URL of its metadata.',
      select: { metadataUrl: true },
      resolve: ({ id, metadataUrl }) => metadataUrl ?? id.slice('app_'.length),
    }),
    name: t.exposeString('name', { nullable: true, description: 'Its name, which people see when they sign in.' }),
    type: t.field({
      type: ApplicationTypeEnum,
      nullable: true,
      description: 'Its kind.',
      select: { type: true },
      resolve: ({ type }) => type as ApplicationType,
    }),
    emailSignIn: t.field({
      type: EmailSignInEnum,
      nullable: true,
      description: 'How people sign in with an email address.',
      select: { emailSignIn: true },
      resolve: ({ emailSignIn }) => emailSignIn as EmailSignIn,
    }),
    phoneSignIn: t.field({
      type: PhoneSignInEnum,
      nullable: true,
      description: 'How people sign in with a phone number.',
      select: { phoneSignIn: true },
      resolve: ({ phoneSignIn }) => phoneSignIn as PhoneSignIn,
    }),
    usernameSignIn: t.field({
      type: UsernameSignInEnum,
      nullable: true,
      description: 'How people sign in with a username.',
      select: { usernameSignIn: true },
      resolve: ({ usernameSignIn }) => usernameSignIn as UsernameSignIn,
    }),
    asksForNames: t.exposeBoolean('asksForNames', {
      nullable: true,
      description: 'Whether who signs up is asked for a first and a last name.',
    }),
    showsSignInLink: t.exposeBoolean('showsSignInLink', {
      nullable: true,
      description:
        'Whether the sign-up page shows the way to the sign-in page. Without it and the names one form serves for both: who has an account is signed in by it.',
    }),
    callbackUrls: t.exposeStringList('callbackUrls', {
      nullable: true,
      permission: 'read:applications_redirect_uris',
      description:
        'Where a sign-in may lead back to. In the leftmost label of a host, `*` stands for a part of it, and `{organization.handle}` as all of it for the handle of the organization that the sign-in is for.',
    }),
    logoutUrls: t.exposeStringList('logoutUrls', {
      nullable: true,
      permission: 'read:application_logout_uris',
      description: 'Where a sign-out may lead, with the same placeholders.',
    }),
    organizationId: t.exposeID('organizationId', {
      nullable: true,
      description: 'The only organization that a machine acts for; null: the whole environment.',
    }),
    loginUri: t.exposeString('loginUri', {
      nullable: true,
      description: 'Its page that starts a sign-in, which may have `{organization.handle}` in it.',
    }),
    homepageUri: t.exposeString('homepageUri', { nullable: true, description: 'Its first page.' }),
    backchannelLogoutUri: t.exposeString('backchannelLogoutUri', {
      nullable: true,
      description: 'Where its server is told that somebody was signed out (OpenID Connect Back-Channel Logout).',
    }),
    asksMarketingConsent: t.exposeBoolean('asksMarketingConsent', {
      nullable: true,
      description:
        'Whether people who sign up to it are asked whether they want marketing. What they say is their property `kp_usr_is_marketing_opt_in`.',
    }),
    isSessionPersistent: t.exposeBoolean('isSessionPersistent', {
      nullable: true,
      description: 'Whether people who sign in to it stay signed in when they close their browser.',
    }),
    sessionInactivityTimeout: t.exposeInt('sessionInactivityTimeout', {
      nullable: true,
      description: 'Seconds without activity after which it asks people to sign in again.',
    }),
    requirePushedAuthorizationRequests: t.exposeBoolean('requirePushedRequests', {
      nullable: true,
      description: 'Whether it has to hand its authorization requests in by itself before it sends a browser (RFC 9126).',
    }),
    isDynamic: t.exposeBoolean('isDynamic', {
      nullable: true,
      description: 'Whether it registered itself (RFC 7591): what it says of itself is not verified.',
    }),
    hasPreviousSecret: t.boolean({
      nullable: true,
      permission: 'read:application_secrets',
      description: 'Whether the secret before the last rotation still works.',
      select: { previousSecretHash: true },
      resolve: ({ previousSecretHash }) => previousSecretHash !== null,
    }),
    secretRotatedAt: t.expose('secretRotatedAt', {
      type: 'DateTime',
      nullable: true,
      permission: 'read:application_secrets',
      description: 'When it got the secret that it has; null: when it was made.',
    }),
    version: t.exposeInt('version', { nullable: true, description: 'Counts its changes: what `expectedVersion` takes.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: true, description: 'When it was made.' }),
  }),
});

registerNode('application', {
  typeName: 'Application',
  permission: 'read:applications',
  tenant: 'environmentId',
  find: (prisma, query) => prisma.application.findFirst(query),
});

const SECRET = 'The client secret: shown this once. Absent for public clients.';

/** Whoever has a proof of an application has its tokens. */
export const HELD = 'Of an application with scopes of the management API only who holds them all may do it.';

const URL_CODES = { INVALID_URL: 'Not usable as a URL of this kind.' };

defineMutation({
  name: 'createApplication',
  description: 'Makes an application. Its secret, where it has one, is in this answer only.',
  policy: { permission: createApplication.permission },
  codes: {
    ...TEXT_CODES,
    ...URL_CODES,
    ...PLAN_CODES,
    TOO_MANY_URLS: 'More than 100 URLs of a kind.',
    NOT_A_MACHINE: 'Only machines act for one organization.',
  },
  input: (t) => ({
    environmentId: t.id({ description: 'A machine token may leave it out: its own.' }),
    name: t.string({ required: true, description: 'At most 200 characters.' }),
    type: t.field({ type: ApplicationTypeEnum, required: true, description: 'Cannot be changed later.' }),
    organizationId: t.id({
      description:
        'For a machine: the only organization that it acts for, which its tokens name. It is given no tokens for the management API. Cannot be changed later.',
    }),
    callbackUrls: t.stringList({ description: 'Where a sign-in may lead back to, at most 100.' }),
    logoutUrls: t.stringList({ description: 'Where a sign-out may lead, at most 100.' }),
    emailSignIn: t.field({ type: EmailSignInEnum, description: 'Absent: CODE.' }),
  }),
  run: (ctx, input) =>
    createApplication(ctx, { ...input, type: input.type as ApplicationType, emailSignIn: input.emailSignIn as EmailSignIn | null }),
  payload: (t) => ({
    application: changed(t, 'Application', 'The new application.', ({ application }) => application),
    clientSecret: t.string({ nullable: true, description: SECRET, resolve: ({ result }) => result?.clientSecret ?? null }),
  }),
});

defineMutation({
  name: 'updateApplication',
  description: 'Changes an application: its name, its pages, how people sign in to it and how long they stay signed in.',
  policy: { permission: updateApplication.permission },
  versioned: true,
  codes: { ...TEXT_CODES, ...URL_CODES, INVALID_TIMEOUT: 'Shorter or longer than a session may sleep.' },
  input: (t) => ({
    applicationId: t.id({ required: true, description: 'The application.' }),
    name: t.string({ description: 'Absent: unchanged.' }),
    loginUri: t.string({
      description:
        'Its page that starts a sign-in: an https URL, or http for localhost, which may have `{organization.handle}` for its leftmost label. Absent: unchanged; null: none.',
    }),
    homepageUri: t.string({ description: 'Its first page: an https URL, or http for localhost. Absent: unchanged; null: none.' }),
    backchannelLogoutUri: t.string({
      description: 'An https:// URL that takes logout tokens of people who were signed out. Absent: unchanged; null: none.',
    }),
    emailSignIn: t.field({ type: EmailSignInEnum, description: 'Absent: unchanged.' }),
    phoneSignIn: t.field({ type: PhoneSignInEnum, description: 'Absent: unchanged.' }),
    usernameSignIn: t.field({ type: UsernameSignInEnum, description: 'Absent: unchanged.' }),
    asksForNames: t.boolean({ description: 'Absent: unchanged.' }),
    showsSignInLink: t.boolean({ description: 'Absent: unchanged.' }),
    asksMarketingConsent: t.boolean({ description: 'Absent: unchanged.' }),
    isSessionPersistent: t.boolean({ description: 'Absent: unchanged.' }),
    requirePushedAuthorizationRequests: t.boolean({ description: 'Absent: unchanged.' }),
    sessionInactivityTimeout: t.int({
      description: `Seconds, ${INACTIVITY_BOUNDS.min} to ${INACTIVITY_BOUNDS.max}. Absent: unchanged.`,
    }),
  }),
  run: (ctx, { emailSignIn, phoneSignIn, usernameSignIn, ...input }) =>
    updateApplication(ctx, {
      ...input,
      ...(emailSignIn && { emailSignIn: emailSignIn as EmailSignIn }),
      ...(phoneSignIn && { phoneSignIn: phoneSignIn as PhoneSignIn }),
      ...(usernameSignIn && { usernameSignIn: usernameSignIn as UsernameSignIn }),
    }),
  payload: (t) => ({ application: changed(t, 'Application', 'The application.') }),
});

defineMutation({
  name: 'deleteApplication',
  description: 'Deletes an application. Nobody is signed in to it any more, and every token that it was given ends.',
  policy: { permission: deleteApplication.permission },
  previews: true,
  codes: {},
  input: (t) => ({ applicationId: t.id({ required: true, description: 'The application.' }) }),
  run: (ctx, input) => deleteApplication(ctx, input),
  payload: (t) => ({ deletedId: deletedId(t) }),
});

defineMutation({
  name: 'rotateApplicationSecret',
  description: `Gives an application a new secret. The old one stops working at once, unless it is kept. ${HELD}`,
  policy: { permission: rotateApplicationSecret.permission },
  codes: {
    ...PLAN_CODES,
    NO_SECRET: 'A public client has no secret.',
    PREVIOUS_SECRET_KEPT: 'A previous secret is kept already: it has to be revoked first.',
  },
  input: (t) => ({
    applicationId: t.id({ required: true, description: 'The application.' }),
    keepPrevious: t.boolean({
      description:
        'Whether the old secret goes on working until `revokePreviousSecret`. Absent: false, and one that was kept before stops working too.',
    }),
  }),
  run: (ctx, input) => rotateApplicationSecret(ctx, input),
  payload: (t) => ({
    application: changed(t, 'Application', 'The application.', ({ application }) => application),
    clientSecret: t.string({ nullable: true, description: SECRET, resolve: ({ result }) => result?.clientSecret ?? null }),
  }),
});

defineMutation({
  name: 'revokePreviousSecret',
  description: 'Ends the secret that a rotation kept working.',
  policy: { permission: revokePreviousSecret.permission },
  previews: true,
  codes: { NO_PREVIOUS_SECRET: 'No previous secret is kept.' },
  input: (t) => ({ applicationId: t.id({ required: true, description: 'The application.' }) }),
  run: (ctx, input) => revokePreviousSecret(ctx, input),
  payload: (t) => ({ application: changed(t, 'Application', 'The application.') }),
});
