/** The endpoint for pushed authorization requests (RFC 9126): the request is checked when it is handed in, and again when a browser brings its name. */
import { createContext, type Infrastructure, type Origin } from '../features/context.ts';
import type { Tenancy } from '../features/environments/directory.ts';
import { keepPushedRequest, PUSHED_REQUEST_SECONDS } from '../features/pushed-requests/service.ts';
import { checkAuthorization } from './authorization.ts';
import { authenticateClient, type Form } from './client-authentication.ts';
import { OAuthError, PageError } from './errors.ts';
import { onlyKnown } from './parameters.ts';

/** RFC 9126 §2.2; `expires_in` in seconds. */
interface PushedRequestAnswer {
  readonly request_uri: string;
  readonly expires_in: number;
}

/** @throws OAuthError in the words that a person would read on the page of the authorization endpoint */
export async function pushAuthorizationRequest(
  infrastructure: Infrastructure,
  tenancy: Tenancy,
  { authorization, form, origin }: { authorization: string | undefined; form: Form; origin: Origin },
): Promise<PushedRequestAnswer> {
  const { applicationId, clientId } = await authenticateClient(infrastructure, tenancy, authorization, form);
  const { environmentId } = tenancy;
  const ctx = createContext(infrastructure, { kind: 'user', environmentId, userId: undefined }, origin);
  const query = { ...form, client_id: clientId };
  const { refusal } = await checkAuthorization(ctx, tenancy, query, 'application').catch((error: unknown) => {
    throw error instanceof PageError ? new OAuthError('invalid_request', error.message) : error;
  });
  if (refusal?.code === 'invalid_target') throw new OAuthError(refusal.code, refusal.message);
  const parameters = String(onlyKnown(query));
  return {
    request_uri: await keepPushedRequest(infrastructure, { environmentId, applicationId, parameters }),
    expires_in: PUSHED_REQUEST_SECONDS,
  };
}
