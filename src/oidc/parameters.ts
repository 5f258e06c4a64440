/** The parameters of an authorization request that are read. Any other is ignored, and an empty one counts as absent. */
import { PageError } from './errors.ts';
import { parseAudiences } from './scopes.ts';

export type Query = Readonly<Record<string, string | string[] | undefined>>;

/** Each parameter that comes once, with its greatest length. */
const MAX_LENGTH: Readonly<Record<string, number>> = {
  client_id: 200,
  redirect_uri: 2048,
  response_type: 100,
  response_mode: 100,
  scope: 1024,
  state: 4096,
  nonce: 1024,
  code_challenge: 128,
  dpop_jkt: 43,
  code_challenge_method: 100,
  prompt: 100,
  start_page: 100,
  login_hint: 320,
  id_token_hint: 8192,
  max_age: 100,
  org_code: 100,
  is_create_org: 10,
  org_name: 200,
  connection_id: 100,
  lang: 100,
  ui_locales: 200,
  invitation_code: 100,
  has_success_page: 10,
  is_use_auth_success_page: 10,
  supports_reauth: 10,
  reauth_state: 4096,
  plan_interest: 200,
  pricing_table_key: 200,
  request: 8192,
  request_uri: 8192,
};

/** The parameters that may be repeated. */
const LISTS = ['audience', 'resource'] as const;

/** What an application is given back to start over with; never what belongs to one request, such as its state and proof key. */
const RESTARTABLE = [
  'org_code',
  'org_name',
  'is_create_org',
  'login_hint',
  'connection_id',
  'prompt',
  'lang',
  'plan_interest',
  'pricing_table_key',
  'invitation_code',
  'audience',
] as const;

/** Where a person came from, as advertisers tell: noted about new users and organizations. */
const MARKETING = (
  'utm_source utm_medium utm_campaign utm_content utm_term gclid click_id hsa_acc hsa_cam hsa_grp hsa_ad hsa_src hsa_tgt hsa_kw hsa_mt ' +
  'hsa_net hsa_ver match_type keyword device ad_group_id campaign_id creative network ad_position fbclid li_fat_id msclkid twclid ttclid'
).split(' ');

/** The parameter's value. */
export function value(query: Query, name: string): string | undefined {
  const given = query[name];
  return typeof given === 'string' && given !== '' ? given : undefined;
}

/** The values of a parameter that says what an access token is for. */
export function values(query: Query, name: (typeof LISTS)[number]): string[] {
  return parseAudiences(query[name]);
}

/** @throws PageError for a parameter that is repeated, too long, or holds what no text does */
export function assertSingleValues(query: Query): void {
  for (const [name, max] of Object.entries(MAX_LENGTH)) {
    const given = query[name];
    if (Array.isArray(given)) throw malformed(`The parameter ${name} is given more than once.`);
    if (given && given.length > max) throw malformed(`The parameter ${name} is too long.`);
    if (given?.includes('\0')) throw malformed(`The parameter ${name} holds a character that no text has.`);
  }
}

/** The parameters that are read, as a query. */
export function onlyKnown(query: Query): URLSearchParams {
  const names = [...Object.keys(MAX_LENGTH), ...LISTS, ...MARKETING];
  return new URLSearchParams(names.flatMap((name) => [query[name] ?? []].flat().map((text) => [name, text])));
}

/** The query that {@link onlyKnown} wrote as text. */
export function readKnown(text: string): Query {
  const search = new URLSearchParams(text);
  return Object.fromEntries(
    [...new Set(search.keys())].map((name) => {
      const [first, ...more] = search.getAll(name);
      return [name, more.length > 0 ? [first!, ...more] : first];
    }),
  );
}

/** The query, with what its `reauth_state` says where it does not say so itself. What cannot be read is as if it were not there. */
export function withReauthState(query: Query): Query {
  const state = value(query, 'reauth_state');
  if (!state) return query;
  const decoded = decodeObject(state);
  const wanted = RESTARTABLE.filter((name) => typeof decoded[name] === 'string' && [query[name] ?? ''].flat().every((text) => !text));
  return { ...query, ...Object.fromEntries(wanted.map((name) => [name, decoded[name] as string])) };
}

/** The `reauth_state` that starts this request over: base64 of a flat JSON object, which SDKs read as it is. */
export function reauthState(query: Query): string {
  const restart = RESTARTABLE.flatMap((name) => {
    const text = name === 'audience' ? values(query, name).join(' ') : value(query, name);
    return text ? [[name, text] as const] : [];
  });
  return Buffer.from(JSON.stringify(Object.fromEntries(restart))).toString('base64');
}

/** What advertisers' parameters say, by their names. */
export function marketingTags(query: Query): Record<string, string> {
  return Object.fromEntries(
    MARKETING.flatMap((name) => {
      const text = value(query, name)
        ?.replace(/\p{Cc}/gu, ' ')
        .slice(0, 200)
        .trim();
      return text ? [[name, text]] : [];
    }),
  );
}

export function malformed(message: string): PageError {
  return new PageError(400, 'malformed', { number: 1656, detail: message });
}

function decodeObject(base64: string): Record<string, unknown> {
  try {
    const decoded: unknown = JSON.parse(Buffer.from(base64, 'base64').toString('utf8'));
    return typeof decoded === 'object' && decoded !== null ? { ...decoded } : {};
  } catch {
    return {};
  }
}
