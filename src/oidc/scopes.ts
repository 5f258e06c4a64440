/** Scopes of a person's authorization. Unknown ones are left out, as RFC 6749 §3.3 allows. */

import { OAuthError } from './errors.ts';

export const OIDC_SCOPES = ['openid', 'profile', 'email', 'phone', 'offline'] as const;

/** The known scopes of a space-separated list, in its order. `offline_access` means `offline`. */
export function parseScopes(text: string | undefined): string[] {
  const named = (text ?? 'openid profile email').split(/\s+/).map((scope) => (scope === 'offline_access' ? 'offline' : scope));
  return [...new Set(named.filter((scope) => (OIDC_SCOPES as readonly string[]).includes(scope)))];
}

/** What RFC 8707 calls resources are audiences by another name.
 * @throws OAuthError invalid_target for one that is not `known` */
export function parseResources(value: string | string[] | undefined, known: readonly (string | null)[]): string[] {
  const resources = parseAudiences(value);
  if (!resources.every((resource) => known.includes(resource)))
    throw new OAuthError('invalid_target', 'The application is not authorised for this resource, or the grant is not for it.');
  return resources;
}

/** Audiences come as repeated parameters, as one space-separated value, or both. */
export function parseAudiences(value: string | string[] | undefined): string[] {
  const values = typeof value === 'string' ? [value] : (value ?? []);
  return [...new Set(values.flatMap((text) => text.split(/\s+/)).filter(Boolean))];
}
