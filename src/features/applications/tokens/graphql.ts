/** Token lifetimes and optional claims in the graph. */
import { builder } from '../../../graphql/builder.ts';
import { changed, defineMutation } from '../../../graphql/payload.ts';
import { GRACE_BOUNDS, LIFETIME_BOUNDS, OPTIONAL_CLAIMS, updateApplicationTokens } from './service.ts';

const permission = 'read:application_tokens';
const HASURA =
  'Whether its tokens name permissions, roles, flags, organizations and properties as Hasura expects them, `x-hasura-permissions` and so on, instead of by their plain names.';

builder.prismaObjectFields('Application', (t) => ({
  accessTokenLifetime: t.exposeInt('accessTokenLifetime', { nullable: true, permission, description: 'Seconds.' }),
  idTokenLifetime: t.exposeInt('idTokenLifetime', { nullable: true, permission, description: 'Seconds.' }),
  refreshTokenLifetime: t.exposeInt('refreshTokenLifetime', { nullable: true, permission, description: 'Seconds.' }),
  refreshTokenGracePeriod: t.exposeInt('refreshTokenGracePeriod', {
    nullable: true,
    permission,
    description:
      'Seconds in which a refresh token that was traded in still leads to its successor, for a client that lost the answer. Later than that it ends the whole family.',
  }),
  accessTokenClaims: t.exposeStringList('accessTokenClaims', {
    nullable: true,
    permission,
    description: 'The optional claims of people’s access tokens.',
  }),
  idTokenClaims: t.exposeStringList('idTokenClaims', { nullable: true, permission, description: 'The optional claims of ID tokens.' }),
  machineTokenClaims: t.exposeStringList('machineTokenClaims', {
    nullable: true,
    permission,
    description: 'The optional claims of its own access tokens.',
  }),
  isHasuraMappingEnabled: t.exposeBoolean('isHasuraMappingEnabled', { nullable: true, permission, description: HASURA }),
}));

const SECONDS = `Seconds, ${LIFETIME_BOUNDS.min} to ${LIFETIME_BOUNDS.max}. Absent: unchanged.`;
const claimsOf = (kind: keyof typeof OPTIONAL_CLAIMS) =>
  `All of them from now on: ${OPTIONAL_CLAIMS[kind].map((claim) => `\`${claim}\``).join(', ')}, and \`property:\` with the key of a public property. ${kind === 'access' ? '`api_scopes` has the scopes that the person holds at its APIs stand among the permissions. ' : ''}Absent: unchanged.`;

defineMutation({
  name: 'updateApplicationTokens',
  description: 'Changes how long an application’s tokens live and which optional claims they carry, from the next token on.',
  policy: { permission: updateApplicationTokens.permission },
  versioned: true,
  codes: {
    INVALID_LIFETIME: 'Shorter or longer than a token may live.',
    REFRESH_TOO_SHORT: 'Refresh tokens would not outlive access tokens.',
    INVALID_GRACE_PERIOD: 'Shorter or longer than a grace period may be.',
    UNKNOWN_CLAIM: 'No claim that may be chosen for this kind of token.',
    NO_SUCH_TOKEN: 'Applications of this type are not given tokens of this kind.',
    TOO_MANY: 'More than 50 claims.',
  },
  input: (t) => ({
    applicationId: t.id({ required: true, description: 'The application.' }),
    accessTokenLifetime: t.int({ description: SECONDS }),
    idTokenLifetime: t.int({ description: SECONDS }),
    refreshTokenLifetime: t.int({ description: `${SECONDS} More than the access token’s.` }),
    refreshTokenGracePeriod: t.int({ description: `Seconds, ${GRACE_BOUNDS.min} to ${GRACE_BOUNDS.max}. Absent: unchanged.` }),
    accessTokenClaims: t.stringList({ description: claimsOf('access') }),
    idTokenClaims: t.stringList({ description: claimsOf('id') }),
    machineTokenClaims: t.stringList({ description: claimsOf('machine') }),
    isHasuraMappingEnabled: t.boolean({ description: `${HASURA} Absent: unchanged.` }),
  }),
  run: (ctx, input) => updateApplicationTokens(ctx, input),
  payload: (t) => ({ application: changed(t, 'Application', 'The application.') }),
});
