/** The claims that an application chose for its tokens, read only for the applications that chose any. */
import type { Infrastructure } from '../context.ts';
import type { Subject } from './subject.ts';

/** What an application chose, by kind of token. */
export interface ChosenClaims {
  readonly applicationId: string;
  readonly accessTokenClaims: readonly string[];
  readonly idTokenClaims: readonly string[];
  readonly machineTokenClaims: readonly string[];
}

interface Property {
  readonly key: string;
  readonly context: string;
  readonly type: string;
  /** Null where it has none. */
  readonly value: string | null;
}

interface Details {
  readonly roles: readonly { readonly id: string; readonly key: string; readonly name: string }[];
  readonly externalId: string | null;
  readonly organizations: readonly { readonly id: string; readonly name: string }[];
  readonly properties: readonly Property[];
}

const DETAILS = `SELECT json_build_object(
  'roles', (SELECT coalesce(json_agg(json_build_object('id', r.id, 'key', r.key, 'name', r.name) ORDER BY r.key), '[]'::json) FROM memberships m
     JOIN membership_roles mr ON mr.environment_id = m.environment_id AND mr.membership_id = m.id
     JOIN roles r ON r.business_id = mr.business_id AND r.id = mr.role_id
    WHERE m.environment_id = $1 AND m.user_id = $2 AND m.organization_id = $3),
  'externalId', (SELECT o.external_id FROM organizations o WHERE o.environment_id = $1 AND o.id = $3),
  'organizations', (SELECT coalesce(json_agg(json_build_object('id', o.id, 'name', o.name) ORDER BY o.id), '[]'::json) FROM memberships m
     JOIN organizations o ON o.environment_id = m.environment_id AND o.id = m.organization_id
    WHERE m.environment_id = $1 AND m.user_id = $2),
  'properties', (SELECT coalesce(json_agg(json_build_object('key', p.key, 'context', p.context, 'type', p.type, 'value', coalesce(uv.value, ov.value, av.value)) ORDER BY p.key), '[]'::json)
     FROM environments e JOIN properties p ON p.business_id = e.business_id AND p.key = ANY($4::text[]) AND NOT p.is_private
     LEFT JOIN user_property_values uv ON p.context = 'user' AND uv.environment_id = e.id AND uv.user_id = $2 AND uv.property_id = p.id
     LEFT JOIN organization_property_values ov ON p.context = 'organization' AND ov.environment_id = e.id AND ov.organization_id = $3 AND ov.property_id = p.id
     LEFT JOIN application_property_values av ON p.context = 'application' AND av.environment_id = e.id AND av.application_id = $5 AND av.property_id = p.id
    WHERE e.id = $1)) AS details`;

/** For these nothing is read beyond what was read of the person already. */
const AT_HAND = ['email', 'org_name', 'api_scopes'];

/** The optional claims of a person's tokens. */
export async function optionalClaimsOfPerson(
  infrastructure: Infrastructure,
  environmentId: string,
  { applicationId, accessTokenClaims, idTokenClaims }: ChosenClaims,
  subject: Subject,
): Promise<{ readonly access: object; readonly id: object }> {
  const chosen = [...accessTokenClaims, ...idTokenClaims];
  const details = chosen.some((claim) => !AT_HAND.includes(claim))
    ? await readDetails(infrastructure, environmentId, applicationId, subject, keysIn(chosen))
    : undefined;
  const { organization, email } = subject;
  const claim = (name: string): object => {
    if (name === 'email') return email ? { email } : {};
    if (name === 'org_name') return organization ? { org_name: organization.name } : {};
    if (name === 'external_org_id') return details?.externalId ? { external_org_id: details.externalId } : {};
    if (name === 'roles') return { roles: details?.roles };
    return name === 'organizations' ? { organizations: details?.organizations } : {};
  };
  const claims = (names: readonly string[]) =>
    Object.assign({}, ...names.map(claim), propertyClaims(names, details?.properties ?? [], organization !== null)) as object;
  return { access: claims(accessTokenClaims), id: claims(idTokenClaims) };
}

/** The optional claims of a machine's token. */
export async function optionalClaimsOfMachine(
  infrastructure: Infrastructure,
  environmentId: string,
  { applicationId, machineTokenClaims }: ChosenClaims,
  scopes: readonly string[],
): Promise<object> {
  const keys = keysIn(machineTokenClaims);
  const properties =
    keys.length > 0
      ? await infrastructure.database.query<Property>(
          'application-properties',
          `SELECT p.key, p.context, p.type, v.value FROM environments e
             JOIN properties p ON p.business_id = e.business_id AND p.key = ANY($3::text[]) AND NOT p.is_private
             LEFT JOIN application_property_values v ON v.environment_id = e.id AND v.application_id = $2 AND v.property_id = p.id
            WHERE e.id = $1 AND p.context = 'application' ORDER BY p.key`,
          [environmentId, applicationId, keys],
        )
      : [];
  return {
    ...(machineTokenClaims.includes('permissions') && { permissions: scopes }),
    ...propertyClaims(machineTokenClaims, properties, false),
  };
}

async function readDetails(
  infrastructure: Infrastructure,
  environmentId: string,
  applicationId: string,
  subject: Subject,
  keys: string[],
): Promise<Details> {
  const values = [environmentId, subject.userId, subject.organization?.id ?? null, keys, applicationId];
  const [row] = await infrastructure.database.query<{ details: Details }>('optional-claims', DETAILS, values);
  return row!.details;
}

const PROPERTY = 'property:';

function keysIn(claims: readonly string[]): string[] {
  return claims.filter((claim) => claim.startsWith(PROPERTY)).map((claim) => claim.slice(PROPERTY.length));
}

/** As SDKs read them: by whose they are, each with its value, or with nothing where it has none. */
function propertyClaims(chosen: readonly string[], properties: readonly Property[], isInOrganization: boolean): Record<string, object> {
  const claims: Record<string, Record<string, object>> = {};
  for (const { key, context, type, value } of properties) {
    if (!chosen.includes(PROPERTY + key) || (context === 'organization' && !isInOrganization)) continue;
    const v = type === 'boolean' && value !== null ? value === 'true' : value;
    const name = `${context}_properties`;
    claims[name] = { ...claims[name], [key]: v === null ? {} : { v } };
  }
  return claims;
}
