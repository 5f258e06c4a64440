/** An environment's policies in the graph. */
import { builder } from '../../graphql/builder.ts';
import { changed, defineMutation, PLAN_CODES } from '../../graphql/payload.ts';
import { MfaFactorKindEnum, MfaPolicyEnum, PasskeyPolicyEnum } from '../sign-in-policies/graphql.ts';
import type { MfaFactorKind, MfaPolicy, PasskeyPolicy } from '../sign-in-policies/service.ts';
import { BOUNDS, MAX_DOMAINS, updateEnvironmentPolicies, updateMfaPolicy, updatePasskeyPolicy } from './service.ts';

const DESCRIPTIONS = {
  allowSelfSignUp: 'Whether people make accounts by themselves. Whoever is invited may in any case.',
  allowAccessRequests:
    'Whether there is a page, `/request-access` at the issuer, on which anybody asks to be let in. Where people cannot sign up by themselves the sign-in pages lead there.',
  allowSubscriptions: 'Whether there is a page, `/subscribe` at the issuer, on which anybody asks for news.',
  allowedDomains: 'Domains of the addresses that may sign up by themselves; empty for any.',
  allowOrganizationCreation: 'Whether people may make an organization when they sign up.',
  useMostRecentOrganization: 'Whether people with several organizations are led to the one they used last, without being asked.',
  syncProfile: 'Whether names and pictures follow those of social and enterprise connections at each sign-in.',
  codeLifetime: 'Seconds that a mailed code is good for.',
  allowInvitations: 'Whether members of organizations may be invited by a link.',
  hasEnumerationProtection:
    'Whether the sign-in pages look and take the same for addresses with and without an account. Who has none is told so by mail, and who is suspended, or wants a username that is taken, once the address is proved.',
  refuseDisposableMail: 'Whether addresses that are made to be thrown away are refused at sign-up.',
  allowDynamicRegistration:
    'Whether applications may register themselves (RFC 7591), as AI agents do. Nobody has looked at them: they are never given the management API.',
  allowMetadataDocuments:
    'Whether the https URL of an application’s metadata is a client id by itself, as AI agents use them. Nobody has looked at those either.',
  requireDpopNonce:
    'Whether a DPoP proof, for tokens and with them, has to hold a nonce that this server has just given out (RFC 9449 §8): a proof that was made beforehand is good for nothing. Clients have to try again with the nonce of the answer.',
  maxFailures: 'Failures in a row that lock an account.',
  lockSeconds: 'Seconds that an account stays locked.',
  defaultCountry: 'The country that phone numbers are taken for at first: its ISO 3166-1 code, in capitals.',
};

interface Policies {
  readonly environmentId: string;
  readonly allowSelfSignUp: boolean;
  readonly allowAccessRequests: boolean;
  readonly allowSubscriptions: boolean;
  readonly allowedDomains: string[];
  readonly allowOrganizationCreation: boolean;
  readonly useMostRecentOrganization: boolean;
  readonly syncProfile: boolean;
  readonly codeLifetime: number;
  readonly allowInvitations: boolean;
  readonly invitationApplicationId: string | null;
  readonly hasEnumerationProtection: boolean;
  readonly refuseDisposableMail: boolean;
  readonly allowDynamicRegistration: boolean;
  readonly allowMetadataDocuments: boolean;
  readonly requireDpopNonce: boolean;
  readonly maxFailures: number;
  readonly lockSeconds: number;
  readonly defaultCountry: string;
}

const EnvironmentPolicies = builder.objectRef<Policies>('EnvironmentPolicies').implement({
  description: 'How people come into an environment.',
  permission: 'read:policies',
  fields: (t) => ({
    allowSelfSignUp: t.exposeBoolean('allowSelfSignUp', { nullable: true, description: DESCRIPTIONS.allowSelfSignUp }),
    allowAccessRequests: t.exposeBoolean('allowAccessRequests', { nullable: true, description: DESCRIPTIONS.allowAccessRequests }),
    allowSubscriptions: t.exposeBoolean('allowSubscriptions', { nullable: true, description: DESCRIPTIONS.allowSubscriptions }),
    allowedDomains: t.exposeStringList('allowedDomains', { nullable: true, description: DESCRIPTIONS.allowedDomains }),
    allowOrganizationCreation: t.exposeBoolean('allowOrganizationCreation', {
      nullable: true,
      description: DESCRIPTIONS.allowOrganizationCreation,
    }),
    useMostRecentOrganization: t.exposeBoolean('useMostRecentOrganization', {
      nullable: true,
      description: DESCRIPTIONS.useMostRecentOrganization,
    }),
    syncProfile: t.exposeBoolean('syncProfile', { nullable: true, description: DESCRIPTIONS.syncProfile }),
    codeLifetime: t.exposeInt('codeLifetime', { nullable: true, description: DESCRIPTIONS.codeLifetime }),
    allowInvitations: t.exposeBoolean('allowInvitations', { nullable: true, description: DESCRIPTIONS.allowInvitations }),
    invitationApplicationId: t.exposeID('invitationApplicationId', {
      nullable: true,
      description: 'The application that the links of invitations lead to.',
    }),
    hasEnumerationProtection: t.exposeBoolean('hasEnumerationProtection', {
      nullable: true,
      description: DESCRIPTIONS.hasEnumerationProtection,
    }),
    refuseDisposableMail: t.exposeBoolean('refuseDisposableMail', { nullable: true, description: DESCRIPTIONS.refuseDisposableMail }),
    allowDynamicRegistration: t.exposeBoolean('allowDynamicRegistration', {
      nullable: true,
      description: DESCRIPTIONS.allowDynamicRegistration,
    }),
    allowMetadataDocuments: t.exposeBoolean('allowMetadataDocuments', {
      nullable: true,
      description: DESCRIPTIONS.allowMetadataDocuments,
    }),
    requireDpopNonce: t.exposeBoolean('requireDpopNonce', { nullable: true, description: DESCRIPTIONS.requireDpopNonce }),
    maxFailures: t.exposeInt('maxFailures', { nullable: true, description: DESCRIPTIONS.maxFailures }),
    lockSeconds: t.exposeInt('lockSeconds', { nullable: true, description: DESCRIPTIONS.lockSeconds }),
    defaultCountry: t.exposeString('defaultCountry', { nullable: true, description: DESCRIPTIONS.defaultCountry }),
  }),
});

const EnvironmentMfaPolicy = builder
  .objectRef<{ environmentId: string; mfaPolicy: string; mfaFactors: string[]; hasRecoveryCodes: boolean }>('EnvironmentMfaPolicy')
  .implement({
    description: 'How people in an environment are asked for a second factor.',
    permission: 'read:mfa',
    fields: (t) => ({
      policy: t.field({
        type: MfaPolicyEnum,
        nullable: true,
        description: 'Whether they are asked for one.',
        resolve: ({ mfaPolicy }) => mfaPolicy as MfaPolicy,
      }),
      factors: t.field({
        type: [MfaFactorKindEnum],
        nullable: true,
        description: 'The factors that they choose from.',
        resolve: ({ mfaFactors }) => mfaFactors as MfaFactorKind[],
      }),
      hasRecoveryCodes: t.exposeBoolean('hasRecoveryCodes', {
        nullable: true,
        description: 'Whether they get codes for when they have lost their factor.',
      }),
    }),
  });

const MULTI_FACTOR =
  'Whether a passkey counts for a second factor as well: it is something that a person has, used by who the device has recognized.';

const EnvironmentPasskeyPolicy = builder
  .objectRef<{
    environmentId: string;
    passkeyPolicy: string;
    isPasskeyMultiFactor: boolean;
  }>('EnvironmentPasskeyPolicy')
  .implement({
    description: 'How people in an environment use passkeys.',
    permission: 'read:passkey',
    fields: (t) => ({
      policy: t.field({
        type: PasskeyPolicyEnum,
        nullable: true,
        description: 'Whether they sign in with them.',
        resolve: ({ passkeyPolicy }) => passkeyPolicy as PasskeyPolicy,
      }),
      isMultiFactor: t.exposeBoolean('isPasskeyMultiFactor', { nullable: true, description: MULTI_FACTOR }),
    }),
  });

builder.prismaObjectFields('Environment', (t) => ({
  policies: t.field({
    type: EnvironmentPolicies,
    nullable: true,
    permission: 'read:policies',
    description: 'How people come into it.',
    select: {
      allowSelfSignUp: true,
      allowAccessRequests: true,
      allowSubscriptions: true,
      allowedDomains: true,
      allowOrganizationCreation: true,
      useMostRecentOrganization: true,
      syncProfile: true,
      codeLifetime: true,
      allowInvitations: true,
      invitationApplicationId: true,
      hasEnumerationProtection: true,
      refuseDisposableMail: true,
      allowDynamicRegistration: true,
      allowMetadataDocuments: true,
      requireDpopNonce: true,
      maxFailures: true,
      lockSeconds: true,
      defaultCountry: true,
    },
    resolve: ({ id, ...policies }) => ({ environmentId: id, ...policies }),
  }),
  mfaPolicy: t.field({
    type: EnvironmentMfaPolicy,
    nullable: true,
    permission: 'read:mfa',
    description: 'How people are asked for a second factor.',
    select: { mfaPolicy: true, mfaFactors: true, hasRecoveryCodes: true },
    resolve: ({ id, mfaPolicy, mfaFactors, hasRecoveryCodes }) => ({ environmentId: id, mfaPolicy, mfaFactors, hasRecoveryCodes }),
  }),
  passkeyPolicy: t.field({
    type: EnvironmentPasskeyPolicy,
    nullable: true,
    permission: 'read:passkey',
    description: 'How people use passkeys.',
    select: { passkeyPolicy: true, isPasskeyMultiFactor: true },
    resolve: ({ id, passkeyPolicy, isPasskeyMultiFactor }) => ({ environmentId: id, passkeyPolicy, isPasskeyMultiFactor }),
  }),
}));

const OWN = 'A machine token may leave it out: its own.';
const UNCHANGED = 'Absent: unchanged.';
const bounds = (field: keyof typeof BOUNDS) => `${DESCRIPTIONS[field]} ${BOUNDS[field].join(' to ')}. ${UNCHANGED}`;

defineMutation({
  name: 'updateEnvironmentPolicies',
  description: 'Changes how people come into an environment. It counts from the next step of every sign-in on.',
  policy: { permission: updateEnvironmentPolicies.permission },
  versioned: true,
  codes: {
    INVALID_DOMAIN: 'Not a domain.',
    TOO_MANY_DOMAINS: `More than ${MAX_DOMAINS} domains.`,
    OUT_OF_RANGE: 'The number is too small or too large.',
    INVALID_COUNTRY: 'Not the code of a country.',
    INVALID_APPLICATION: 'Not a back-end or front-end application with a login URI.',
    NO_INVITATION_APPLICATION: 'Invitations need an application that they lead to.',
  },
  input: (t) => ({
    environmentId: t.id({ description: OWN }),
    allowSelfSignUp: t.boolean({ description: `${DESCRIPTIONS.allowSelfSignUp} ${UNCHANGED}` }),
    allowAccessRequests: t.boolean({ description: `${DESCRIPTIONS.allowAccessRequests} ${UNCHANGED}` }),
    allowSubscriptions: t.boolean({ description: `${DESCRIPTIONS.allowSubscriptions} ${UNCHANGED}` }),
    allowedDomains: t.stringList({ description: `${DESCRIPTIONS.allowedDomains} At most ${MAX_DOMAINS}. ${UNCHANGED}` }),
    allowOrganizationCreation: t.boolean({ description: `${DESCRIPTIONS.allowOrganizationCreation} ${UNCHANGED}` }),
    useMostRecentOrganization: t.boolean({ description: `${DESCRIPTIONS.useMostRecentOrganization} ${UNCHANGED}` }),
    syncProfile: t.boolean({ description: `${DESCRIPTIONS.syncProfile} ${UNCHANGED}` }),
    codeLifetime: t.int({ description: bounds('codeLifetime') }),
    allowInvitations: t.boolean({ description: `${DESCRIPTIONS.allowInvitations} ${UNCHANGED}` }),
    invitationApplicationId: t.id({
      description: 'The back-end or front-end application that links lead to, at its login URI. Absent: unchanged; null: none.',
    }),
    hasEnumerationProtection: t.boolean({ description: `${DESCRIPTIONS.hasEnumerationProtection} ${UNCHANGED}` }),
    refuseDisposableMail: t.boolean({ description: `${DESCRIPTIONS.refuseDisposableMail} ${UNCHANGED}` }),
    allowDynamicRegistration: t.boolean({ description: `${DESCRIPTIONS.allowDynamicRegistration} ${UNCHANGED}` }),
    allowMetadataDocuments: t.boolean({ description: `${DESCRIPTIONS.allowMetadataDocuments} ${UNCHANGED}` }),
    requireDpopNonce: t.boolean({ description: `${DESCRIPTIONS.requireDpopNonce} ${UNCHANGED}` }),
    maxFailures: t.int({ description: bounds('maxFailures') }),
    lockSeconds: t.int({ description: bounds('lockSeconds') }),
    defaultCountry: t.string({ description: `${DESCRIPTIONS.defaultCountry} ${UNCHANGED}` }),
  }),
  run: (ctx, input) => updateEnvironmentPolicies(ctx, input),
  payload: (t) => ({ environment: changed(t, 'Environment', 'The environment.') }),
});

defineMutation({
  name: 'updateMfaPolicy',
  description: 'Replaces how people in an environment are asked for a second factor.',
  policy: { permission: updateMfaPolicy.permission },
  versioned: true,
  codes: { NO_FACTORS: 'There is no factor to choose.' },
  input: (t) => ({
    environmentId: t.id({ description: OWN }),
    policy: t.field({ type: MfaPolicyEnum, required: true, description: 'Whether people are asked for one.' }),
    factors: t.field({ type: [MfaFactorKindEnum], description: `The factors that they choose from. ${UNCHANGED}` }),
    hasRecoveryCodes: t.boolean({ description: `Whether they get codes for when they have lost their factor. ${UNCHANGED}` }),
  }),
  run: (ctx, input) => updateMfaPolicy(ctx, input),
  payload: (t) => ({ environment: changed(t, 'Environment', 'The environment.') }),
});

defineMutation({
  name: 'updatePasskeyPolicy',
  description: 'Says whether people in an environment sign in with passkeys.',
  policy: { permission: updatePasskeyPolicy.permission },
  versioned: true,
  codes: PLAN_CODES,
  input: (t) => ({
    environmentId: t.id({ description: OWN }),
    policy: t.field({ type: PasskeyPolicyEnum, required: true, description: 'On paid plans anything; on the free plan OFF.' }),
    isMultiFactor: t.boolean({ description: `${MULTI_FACTOR} ${UNCHANGED}` }),
  }),
  run: (ctx, input) => updatePasskeyPolicy(ctx, input),
  payload: (t) => ({ environment: changed(t, 'Environment', 'The environment.') }),
});
