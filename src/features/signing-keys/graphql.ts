/** Signing keys in the graph: their public parts. */
import { builder } from '../../graphql/builder.ts';
import { changed, defineMutation } from '../../graphql/payload.ts';
import type { SigningAlgorithm } from '../../security/jwt.ts';
import { AHEAD_SECONDS, rotateSigningKey } from './service.ts';

const SigningAlgorithmType = builder.enumType('SigningAlgorithm', {
  description: 'What an environment’s tokens are signed with.',
  values: {
    RS256: { description: 'RSA of 2048 bits: what every library knows, and all that some do.' },
    ES256: { description: 'ECDSA on P-256: signed many times faster, and shorter.' },
    EdDSA: { description: 'Ed25519.' },
  },
});

builder.prismaObject('SigningKey', {
  description: 'A key of an environment, as its key set publishes it.',
  select: { environmentId: true, id: true },
  permission: 'read:environments',
  fields: (t) => ({
    kid: t.exposeString('id', { nullable: true, description: 'Names it in the key set and in the header of tokens.' }),
    algorithm: t.field({
      type: SigningAlgorithmType,
      nullable: true,
      description: 'Its algorithm.',
      select: { algorithm: true },
      resolve: ({ algorithm }) => algorithm as SigningAlgorithm,
    }),
    publicJwk: t.expose('publicJwk', { type: 'JSON', nullable: true, description: 'Its public part (RFC 7517).' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: true, description: 'Since when it is published.' }),
    signsFrom: t.expose('signsFrom', { type: 'DateTime', nullable: true, description: 'From when on it signs.' }),
    retiredAt: t.expose('retiredAt', {
      type: 'DateTime',
      nullable: true,
      description: 'From when on it signs no more; it stays published until the last token that it signed has expired.',
    }),
  }),
});

builder.prismaObjectField('Environment', 'signingKeys', (t) =>
  t.relation('signingKeys', {
    nullable: true,
    permission: 'read:environments',
    description: 'The keys that are published, newest first.',
    query: { orderBy: [{ signsFrom: 'desc' }, { id: 'asc' }] },
  }),
);

defineMutation({
  name: 'rotateSigningKey',
  description: `Publishes a new key, which signs after ${AHEAD_SECONDS / 60} minutes; the key before it stays published for as long as its tokens live. This also happens by itself, after 90 days where the server is not set otherwise.`,
  policy: { permission: rotateSigningKey.permission },
  previews: true,
  codes: { ROTATION_PENDING: 'A new key is published and does not sign yet.' },
  input: (t) => ({
    environmentId: t.id({ description: 'A machine token may leave it out: its own.' }),
    algorithm: t.field({ type: SigningAlgorithmType, description: 'Absent: that of the key before.' }),
    isCompromised: t.boolean({
      description: 'Whether the keys that there are must not be trusted: they go, what they signed ends, and the new one signs at once.',
    }),
  }),
  run: (ctx, input) => rotateSigningKey(ctx, input),
  payload: (t) => ({ signingKey: changed(t, 'SigningKey', 'The new key.') }),
});
