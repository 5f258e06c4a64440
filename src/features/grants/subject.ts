/** What tokens say about a person, read fresh for each token in one statement. */
import type { Infrastructure } from '../context.ts';

/** A person, whatever organization it is about. */
export interface Person {
  readonly userId: string;
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly picture: string | null;
  readonly providedId: string | null;
  /** Not suspended, and not left with nothing but a profile. */
  readonly hasAccess: boolean;
  /** Access tokens issued before this second since 1970 count no more: all sessions were ended at once. Those of this very second end with their grants. */
  readonly tokensCountFrom: number | null;
  /** When the profile changed, in seconds since 1970. */
  readonly updatedAt: number;
  readonly email: string | null;
  readonly isEmailVerified: boolean | null;
  readonly username: string | null;
  readonly phone: string | null;
  readonly isPhoneVerified: boolean | null;
}

/** A person within an organization, where it is about one. */
export interface Subject extends Person {
  /** The codes of all organizations the person is in. */
  readonly organizationCodes: readonly string[];
  /** Of the organization asked about: null when the person is no member of it. */
  readonly organization: {
    readonly id: string;
    readonly name: string;
    readonly isSuspended: boolean;
    /** Whether sessions for it outlive the browser; null: as the application says. */
    readonly isSessionPersistent: boolean | null;
  } | null;
  /** Keys held in that organization, through roles or directly, sorted. */
  readonly permissions: readonly string[];
  /** Scopes of the business's own APIs that are held in that organization, through roles or directly: audience and name, sorted. */
  readonly apiScopes: readonly (readonly [audience: string, scope: string])[];
  /** By key: the first letter of the flag's type, and what it is worth for this person in that organization. */
  readonly featureFlags: Readonly<Record<string, { readonly t: string; readonly v: unknown }>>;
}

const PERSON = `u.id AS "userId", u.first_name AS "firstName", u.last_name AS "lastName", u.picture, u.provided_id AS "providedId",
  NOT u.is_suspended AND u.access_removed_at IS NULL AS "hasAccess", floor(extract(epoch FROM u.access_ended_at))::int AS "tokensCountFrom", floor(extract(epoch FROM u.updated_at))::int AS "updatedAt",
  email.value AS email, email.is_verified AS "isEmailVerified", username.value AS username, phone.value AS phone, phone.is_verified AS "isPhoneVerified"`;

const fromPerson = (environmentId: string, userId: string) => `FROM users u
  LEFT JOIN identities email ON email.environment_id = u.environment_id AND email.user_id = u.id AND email.type = 'email' AND email.is_primary
  LEFT JOIN identities username ON username.environment_id = u.environment_id AND username.user_id = u.id AND username.type = 'username' AND username.is_primary
  LEFT JOIN identities phone ON phone.environment_id = u.environment_id AND phone.user_id = u.id AND phone.type = 'phone' AND phone.is_primary
  WHERE u.environment_id = ${environmentId} AND u.id = ${userId}`;

/**
 * SQL for the person as JSON, one value a row: of a wide row the driver would describe and parse each column anew.
 * The arguments are SQL expressions.
 */
export const personSql = (environmentId: string, userId: string) =>
  `SELECT row_to_json(person) AS person FROM (SELECT ${PERSON} ${fromPerson(environmentId, userId)}) person`;

/** The same of a person within an organization. */
export const subjectSql = (
  environmentId: string,
  userId: string,
  organizationId: string,
) => `SELECT row_to_json(subject) AS subject FROM (SELECT ${PERSON},
  (SELECT coalesce(array_agg(m.organization_id ORDER BY m.organization_id), '{}') FROM memberships m WHERE m.environment_id = u.environment_id AND m.user_id = u.id) AS "organizationCodes",
  (SELECT json_build_object('id', o.id, 'name', o.name, 'isSuspended', o.is_suspended,
    'isSessionPersistent', CASE WHEN o.is_advanced THEN o.is_session_persistent END) FROM memberships m
     JOIN organizations o ON o.environment_id = m.environment_id AND o.id = m.organization_id
    WHERE m.environment_id = u.environment_id AND m.user_id = u.id AND m.organization_id = ${organizationId}) AS organization,
  (SELECT coalesce(array_agg(DISTINCT p.key ORDER BY p.key), '{}') FROM memberships m
     JOIN LATERAL (
       SELECT rp.business_id, rp.permission_id FROM membership_roles mr JOIN role_permissions rp ON rp.business_id = mr.business_id AND rp.role_id = mr.role_id
        WHERE mr.environment_id = m.environment_id AND mr.membership_id = m.id
       UNION ALL
       SELECT mp.business_id, mp.permission_id FROM membership_permissions mp WHERE mp.environment_id = m.environment_id AND mp.membership_id = m.id
     ) held ON true JOIN permissions p ON p.business_id = held.business_id AND p.id = held.permission_id
    WHERE m.environment_id = u.environment_id AND m.user_id = u.id AND m.organization_id = ${organizationId}) AS permissions,
  (SELECT coalesce(json_agg(DISTINCT jsonb_build_array(a.audience, s.name)), '[]'::json) FROM memberships m
     JOIN LATERAL (
       SELECT rs.scope_id FROM membership_roles mr JOIN role_scopes rs ON rs.environment_id = mr.environment_id AND rs.role_id = mr.role_id
        WHERE mr.environment_id = m.environment_id AND mr.membership_id = m.id
       UNION ALL
       SELECT ms.scope_id FROM membership_scopes ms WHERE ms.environment_id = m.environment_id AND ms.membership_id = m.id
     ) held ON true JOIN api_scopes s ON s.environment_id = m.environment_id AND s.id = held.scope_id
     JOIN apis a ON a.environment_id = s.environment_id AND a.id = s.api_id
    WHERE m.environment_id = u.environment_id AND m.user_id = u.id AND m.organization_id = ${organizationId}) AS "apiScopes",
  (SELECT coalesce(json_object_agg(f.key, json_build_object('t', left(f.type, 1), 'v', coalesce(uv.value, ov.value, ev.value, f.default_value)) ORDER BY f.key), '{}'::json)
     FROM environments e JOIN feature_flags f ON f.business_id = e.business_id
     LEFT JOIN environment_flag_values ev ON ev.environment_id = e.id AND ev.flag_id = f.id
     LEFT JOIN organization_flag_values ov ON ov.environment_id = e.id AND ov.organization_id = ${organizationId} AND ov.flag_id = f.id
     LEFT JOIN user_flag_values uv ON uv.environment_id = e.id AND uv.user_id = u.id AND uv.flag_id = f.id
    WHERE e.id = u.environment_id) AS "featureFlags"
  ${fromPerson(environmentId, userId)}) subject`;

const FIND = subjectSql('$1', '$2', '$3');

/** The person as tokens describe them, within an organization where one is given; undefined for a deleted user. */
export async function findSubject(
  infrastructure: Infrastructure,
  environmentId: string,
  userId: string,
  organizationId: string | null,
): Promise<Subject | undefined> {
  const [row] = await infrastructure.database.query<{ subject: Subject }>('find-subject', FIND, [environmentId, userId, organizationId]);
  return row?.subject;
}
