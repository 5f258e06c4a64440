/** What a person may know of their own account while an application asks for them: read for one person in one organization. */
import type { Infrastructure } from '../context.ts';

/** Whose account; the organization is the one that the token is for, if any. */
export interface AccountHolder {
  readonly environmentId: string;
  readonly userId: string;
  readonly organizationId: string | null;
}

/** A stretch of a list that is sorted by id. */
export interface AccountPage {
  /** The id before the first one; '' from the start. */
  readonly after: string;
  readonly size: number;
  /** Only the one with this key. */
  readonly key?: string | undefined;
}

export interface AccountItem {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  readonly type?: string;
  readonly value?: unknown;
}

/** The lists by name. Each statement takes environment, user and organization, then after, limit and key. */
const LISTS = {
  permissions: `SELECT DISTINCT p.id, p.key, p.name FROM memberships m
    JOIN LATERAL (
      SELECT rp.business_id, rp.permission_id FROM membership_roles mr JOIN role_permissions rp ON rp.business_id = mr.business_id AND rp.role_id = mr.role_id
       WHERE mr.environment_id = m.environment_id AND mr.membership_id = m.id
      UNION ALL
      SELECT mp.business_id, mp.permission_id FROM membership_permissions mp WHERE mp.environment_id = m.environment_id AND mp.membership_id = m.id
    ) held ON true JOIN permissions p ON p.business_id = held.business_id AND p.id = held.permission_id
   WHERE m.environment_id = $1 AND m.user_id = $2 AND m.organization_id = $3`,
  roles: `SELECT r.id, r.key, r.name FROM memberships m
    JOIN membership_roles mr ON mr.environment_id = m.environment_id AND mr.membership_id = m.id
    JOIN roles r ON r.business_id = mr.business_id AND r.id = mr.role_id
   WHERE m.environment_id = $1 AND m.user_id = $2 AND m.organization_id = $3`,
  feature_flags: `SELECT f.id, f.key, f.name, f.type, coalesce(uv.value, ov.value, ev.value, f.default_value) AS value
    FROM environments e JOIN feature_flags f ON f.business_id = e.business_id
    LEFT JOIN environment_flag_values ev ON ev.environment_id = e.id AND ev.flag_id = f.id
    LEFT JOIN organization_flag_values ov ON ov.environment_id = e.id AND ov.organization_id = $3 AND ov.flag_id = f.id
    LEFT JOIN user_flag_values uv ON uv.environment_id = e.id AND uv.user_id = $2 AND uv.flag_id = f.id
   WHERE e.id = $1`,
  properties: `SELECT p.id, p.key, p.name, coalesce(uv.value, ov.value) AS value
    FROM environments e JOIN properties p ON p.business_id = e.business_id AND NOT p.is_private
    LEFT JOIN user_property_values uv ON p.context = 'user' AND uv.environment_id = e.id AND uv.user_id = $2 AND uv.property_id = p.id
    LEFT JOIN organization_property_values ov ON p.context = 'organization' AND ov.environment_id = e.id AND ov.organization_id = $3 AND ov.property_id = p.id
   WHERE e.id = $1 AND coalesce(uv.value, ov.value) IS NOT NULL`,
} as const;

export type AccountList = keyof typeof LISTS;
export const ACCOUNT_LISTS = Object.keys(LISTS) as AccountList[];

/** A page of a list, and whether there is more after it. */
export async function readAccountList(
  { database }: Infrastructure,
  list: AccountList,
  { environmentId, userId, organizationId }: AccountHolder,
  { after, size, key }: AccountPage,
): Promise<{ items: AccountItem[]; hasMore: boolean }> {
  const rows = await database.query<AccountItem>(
    `account-${list}`,
    `SELECT * FROM (${LISTS[list]}) items WHERE id > $4 AND ($6::text IS NULL OR key = $6) ORDER BY id LIMIT $5::int`,
    [environmentId, userId, organizationId, after, size + 1, key ?? null],
  );
  return { items: rows.slice(0, size), hasMore: rows.length > size };
}
