/** An application's own public keys in the graph. */
import { builder } from '../../../graphql/builder.ts';
import { changed, defineMutation } from '../../../graphql/payload.ts';
import { HELD } from '../graphql.ts';
import { updateApplicationKeys } from './service.ts';

const permission = 'read:application_secrets';

builder.prismaObjectFields('Application', (t) => ({
  jwks: t.expose('jwks', {
    type: 'JSON',
    nullable: true,
    permission,
    description: 'The public keys by which it proves itself, as a JWK Set; null where they are fetched, or where it has a secret.',
  }),
  jwksUri: t.exposeString('jwksUri', { nullable: true, permission, description: 'Where its public keys are fetched from.' }),
}));

defineMutation({
  name: 'updateApplicationKeys',
  description: `Lets an application prove itself by JWTs that it signs (\`private_key_jwt\`, RFC 7523), with RS256, PS256, ES256 or EdDSA. While it has keys, its secret proves nothing. ${HELD}`,
  policy: { permission: updateApplicationKeys.permission },
  versioned: true,
  codes: {
    NO_SECRET: 'Applications of this type are public clients.',
    INVALID_JWKS: 'No JWK Set, or one with a key that may not be used.',
    PRIVATE_KEY: 'A private key, which should not have left its owner.',
    INVALID_URL: 'Not usable as the keys’ URL.',
    TWO_SOURCES: 'Both a set and a URL.',
  },
  input: (t) => ({
    applicationId: t.id({ required: true, description: 'The application.' }),
    jwks: t.field({ type: 'JSON', description: 'A JWK Set (RFC 7517) of at most 20 public keys. Absent: unchanged; null: none.' }),
    jwksUri: t.string({ description: 'An https:// URL that answers with such a set. Absent: unchanged; null: none.' }),
  }),
  run: (ctx, input) => updateApplicationKeys(ctx, input),
  payload: (t) => ({ application: changed(t, 'Application', 'The application.') }),
});
