/** How a business's team must sign in, in the graph. */
import { TEAM_ROLES } from '../../access/team-roles.ts';
import { builder } from '../../graphql/builder.ts';
import { changed, defineMutation, PLAN_CODES, TEXT_CODES } from '../../graphql/payload.ts';
import { MfaFactorKindEnum } from '../sign-in-policies/graphql.ts';
import type { MfaFactorKind } from '../sign-in-policies/service.ts';
import { TeamRoleEnum } from '../team/graphql.ts';
import {
  type EntraSettings,
  MAX_SSO_DOMAINS,
  type SamlSettings,
  type SsoProtocol,
  type TeamMfaPolicy,
  updateTeamMfaPolicy,
  updateTeamSsoPolicy,
} from './service.ts';

const TeamMfaPolicyEnum = builder.enumType('TeamMfaPolicy', {
  description: 'Who on a team needs a second factor.',
  values: {
    OFF: { value: 'off', description: 'Nobody.' },
    EVERYONE: { value: 'everyone', description: 'Every member.' },
    ROLES: { value: 'roles', description: 'Members with certain roles.' },
  },
});

const SsoProtocolEnum = builder.enumType('TeamSsoProtocol', {
  description: 'How a team signs in with its company’s own accounts.',
  values: {
    OFF: { value: 'off', description: 'It does not.' },
    SAML: { value: 'saml', description: 'By SAML 2.0.' },
    ENTRA_ID: { value: 'entra_id', description: 'By Microsoft Entra ID.' },
  },
});

interface TeamPolicyRow {
  readonly businessId: string;
  readonly mfaPolicy: string;
  readonly mfaRoles: string[];
  readonly mfaFactors: string[];
  readonly ssoProtocol: string;
  readonly ssoSettings: unknown;
  readonly ssoSecret: string | null;
  readonly ssoDomains: string[];
  readonly version: number;
}

type Settings<T> = Partial<T> & { readonly businessId: string };

const TeamSaml = builder.objectRef<Settings<SamlSettings>>('TeamSamlSettings').implement({
  description: 'The SAML identity provider of a team.',
  permission: 'read:team_policies',
  fields: (t) => ({
    entityId: t.exposeString('entityId', { nullable: true, description: 'Its entity id.' }),
    metadataUrl: t.exposeString('metadataUrl', { nullable: true, description: 'Where its metadata is.' }),
    emailAttribute: t.exposeString('emailAttribute', { nullable: true, description: 'The attribute that holds the address.' }),
    firstNameAttribute: t.exposeString('firstNameAttribute', { nullable: true, description: 'The attribute that holds the first name.' }),
    lastNameAttribute: t.exposeString('lastNameAttribute', { nullable: true, description: 'The attribute that holds the last name.' }),
  }),
});

const TeamEntraId = builder.objectRef<Settings<EntraSettings & { hasClientSecret: boolean }>>('TeamEntraIdSettings').implement({
  description: 'The Microsoft Entra ID application of a team.',
  permission: 'read:team_policies',
  fields: (t) => ({
    clientId: t.exposeString('clientId', { nullable: true, description: 'Its client id.' }),
    tenantDomain: t.exposeString('tenantDomain', { nullable: true, description: 'The domain of its tenant.' }),
    hasClientSecret: t.exposeBoolean('hasClientSecret', { nullable: true, description: 'Whether its secret is kept. Nobody reads it.' }),
  }),
});

const TeamPolicy = builder.objectRef<TeamPolicyRow>('TeamPolicy').implement({
  description: 'How a business’s team must sign in.',
  permission: 'read:team_policies',
  fields: (t) => ({
    mfaPolicy: t.field({
      type: TeamMfaPolicyEnum,
      nullable: true,
      description: 'Who needs a second factor.',
      resolve: ({ mfaPolicy }) => mfaPolicy as TeamMfaPolicy,
    }),
    mfaRoles: t.field({
      type: [TeamRoleEnum],
      nullable: true,
      description: 'The roles that need one, where not everyone does.',
      resolve: ({ mfaRoles }) => TEAM_ROLES.filter((role) => mfaRoles.includes(role)),
    }),
    mfaFactors: t.field({
      type: [MfaFactorKindEnum],
      nullable: true,
      description: 'The factors that members choose from.',
      resolve: ({ mfaFactors }) => mfaFactors as MfaFactorKind[],
    }),
    ssoProtocol: t.field({
      type: SsoProtocolEnum,
      nullable: true,
      description: 'How members sign in with the company’s own accounts.',
      resolve: ({ ssoProtocol }) => ssoProtocol as SsoProtocol,
    }),
    ssoDomains: t.exposeStringList('ssoDomains', { nullable: true, description: 'Domains of the addresses that sign in there.' }),
    saml: t.field({
      type: TeamSaml,
      nullable: true,
      description: 'The identity provider; everything of it is null unless the protocol is SAML.',
      resolve: ({ businessId, ssoProtocol, ssoSettings }) => ({ businessId, ...(ssoProtocol === 'saml' && (ssoSettings as SamlSettings)) }),
    }),
    entraId: t.field({
      type: TeamEntraId,
      nullable: true,
      description: 'The application; everything of it is null unless the protocol is ENTRA_ID.',
      resolve: ({ businessId, ssoProtocol, ssoSettings, ssoSecret }) => ({
        businessId,
        ...(ssoProtocol === 'entra_id' && { ...(ssoSettings as EntraSettings), hasClientSecret: ssoSecret !== null }),
      }),
    }),
    version: t.exposeInt('version', { nullable: true, description: 'Counts its changes: what `expectedVersion` takes.' }),
  }),
});

const DEFAULTS = {
  ...{ mfaPolicy: 'off', mfaRoles: [], mfaFactors: [], version: 1 },
  ...{ ssoProtocol: 'off', ssoSettings: {}, ssoSecret: null, ssoDomains: [] },
};

builder.prismaObjectField('Business', 'teamPolicy', (t) =>
  t.field({
    type: TeamPolicy,
    nullable: true,
    permission: 'read:team_policies',
    description: 'How its team must sign in.',
    select: { teamPolicy: true },
    resolve: ({ id, teamPolicy }) => teamPolicy ?? { businessId: id, ...DEFAULTS },
  }),
);

defineMutation({
  name: 'updateTeamMfaPolicy',
  description: 'Replaces who on a business’s team needs a second factor, on paid plans.',
  policy: { permission: updateTeamMfaPolicy.permission },
  versioned: true,
  codes: { ...PLAN_CODES, NO_FACTORS: 'There is no factor to choose.', NO_ROLES: 'No role needs it.' },
  input: (t) => ({
    businessId: t.id({ required: true, description: 'The business.' }),
    policy: t.field({ type: TeamMfaPolicyEnum, required: true, description: 'Who needs one.' }),
    roles: t.field({ type: [TeamRoleEnum], description: 'The roles that need one, for ROLES.' }),
    factors: t.field({ type: [MfaFactorKindEnum], description: 'The factors that members choose from; one at least unless OFF.' }),
  }),
  run: (ctx, input) => updateTeamMfaPolicy(ctx, input),
  payload: (t) => ({ business: changed(t, 'Business', 'The business.') }),
});

const SamlInput = builder.inputType('TeamSamlInput', {
  description: 'A SAML identity provider.',
  fields: (t) => ({
    entityId: t.string({ required: true, description: 'Its entity id, at most 500 characters.' }),
    metadataUrl: t.string({ required: true, description: 'Where its metadata is: an https URL.' }),
    emailAttribute: t.string({ description: 'The attribute that holds the address. Absent: the usual ones are looked for.' }),
    firstNameAttribute: t.string({ description: 'The attribute that holds the first name. Absent: the usual ones are looked for.' }),
    lastNameAttribute: t.string({ description: 'The attribute that holds the last name. Absent: the usual ones are looked for.' }),
  }),
});

const EntraIdInput = builder.inputType('TeamEntraIdInput', {
  description: 'A Microsoft Entra ID application.',
  fields: (t) => ({
    clientId: t.string({ required: true, description: 'Its client id.' }),
    tenantDomain: t.string({ required: true, description: 'The domain of its tenant.' }),
    clientSecret: t.string({ description: 'Its secret, which nobody can read again. Absent: the one that is kept.' }),
  }),
});

defineMutation({
  name: 'updateTeamSsoPolicy',
  description:
    'Replaces where a business’s team signs in, on the scale plan and larger ones. The settings of another protocol are forgotten.',
  policy: { permission: updateTeamSsoPolicy.permission },
  versioned: true,
  codes: {
    ...TEXT_CODES,
    ...PLAN_CODES,
    INVALID_URL: 'Not an https URL.',
    INVALID_DOMAIN: 'Not a domain.',
    TOO_MANY_DOMAINS: `More than ${MAX_SSO_DOMAINS} domains.`,
    NO_DOMAINS: 'Nobody would sign in there.',
  },
  input: (t) => ({
    businessId: t.id({ required: true, description: 'The business.' }),
    protocol: t.field({ type: SsoProtocolEnum, required: true, description: 'How members sign in.' }),
    domains: t.stringList({
      description: `Domains of the addresses that sign in there, at most ${MAX_SSO_DOMAINS}; one at least unless OFF.`,
    }),
    saml: t.field({ type: SamlInput, description: 'The identity provider, for SAML.' }),
    entraId: t.field({ type: EntraIdInput, description: 'The application, for ENTRA_ID.' }),
  }),
  run: (ctx, input) => updateTeamSsoPolicy(ctx, input),
  payload: (t) => ({ business: changed(t, 'Business', 'The business.') }),
});
