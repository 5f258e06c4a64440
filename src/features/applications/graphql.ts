/** Applications in the graph. A client secret is in the answer of what made it, and nowhere else ever. */
import { builder } from '../../graphql/builder.ts';
import { Node, registerNode } from '../../graphql/node.ts';
import { changed, defineMutation, TEXT_CODES } from '../../graphql/payload.ts';
import { type ApplicationType, createApplication, type EmailSignIn, rotateApplicationSecret } from './service.ts';

const ApplicationTypeEnum = builder.enumType('ApplicationType', {
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
  },
});

export const Application = builder.prismaObject('Application', {
  description: 'An OAuth client of an environment.',
  interfaces: [Node],
  select: { environmentId: true, id: true },
  permission: 'read:applications',
  fields: (t) => ({
    id: t.exposeID('id', { open: 'it was reached through a gated field', description: 'The application’s id: `app_` and the client id.' }),
    clientId: t.string({ nullable: true, description: '`client_id` in the protocol.', resolve: ({ id }) => id.slice('app_'.length) }),
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
    callbackUrls: t.exposeStringList('callbackUrls', {
      nullable: true,
      permission: 'read:applications_redirect_uris',
      description: 'Where a sign-in may lead back to.',
    }),
    logoutUrls: t.exposeStringList('logoutUrls', {
      nullable: true,
      permission: 'read:application_logout_uris',
      description: 'Where a sign-out may lead.',
    }),
    accessTokenLifetime: t.exposeInt('accessTokenLifetime', {
      nullable: true,
      permission: 'read:application_tokens',
      description: 'Seconds.',
    }),
    idTokenLifetime: t.exposeInt('idTokenLifetime', { nullable: true, permission: 'read:application_tokens', description: 'Seconds.' }),
    refreshTokenLifetime: t.exposeInt('refreshTokenLifetime', {
      nullable: true,
      permission: 'read:application_tokens',
      description: 'Seconds.',
    }),
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

defineMutation({
  name: 'createApplication',
  description: 'Makes an application. Its secret, where it has one, is in this answer only.',
  policy: { permission: createApplication.permission },
  codes: { ...TEXT_CODES, INVALID_URL: 'Not usable as a callback or logout URL.', TOO_MANY_URLS: 'More than 100 URLs of a kind.' },
  input: (t) => ({
    environmentId: t.id({ description: 'A machine token may leave it out: its own.' }),
    name: t.string({ required: true, description: 'At most 200 characters.' }),
    type: t.field({ type: ApplicationTypeEnum, required: true, description: 'Cannot be changed later.' }),
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
  name: 'rotateApplicationSecret',
  description: 'Gives an application a new secret. The old one stops working at once.',
  policy: { permission: rotateApplicationSecret.permission },
  codes: { NO_SECRET: 'A public client has no secret.' },
  input: (t) => ({ applicationId: t.id({ required: true, description: 'The application.' }) }),
  run: (ctx, input) => rotateApplicationSecret(ctx, input),
  payload: (t) => ({
    application: changed(t, 'Application', 'The application.', ({ application }) => application),
    clientSecret: t.string({ nullable: true, description: SECRET, resolve: ({ result }) => result?.clientSecret ?? null }),
  }),
});
