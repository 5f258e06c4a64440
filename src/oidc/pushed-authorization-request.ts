/** The endpoint for pushed authorization requests (RFC 9126): the request is checked when it is handed in, and again when a browser brings its name. */
import { createContext, type Infrastructure, type Origin } from '../features/context.ts';
import type { Tenancy } from '../features/environments/directory.ts';
import { keepPushedRequest, PUSHED_REQUEST_SECONDS } from '../features/pushed-requests/service.ts';
import { checkAuthorization } from './authorization.ts';
import { authenticateClient, type Form, parameter } from './client-authentication.ts';
import { clientOfDocument, isDocumentUrl } from './client-id-metadata-document.ts';
import { checkProof, type OfferNonce } from './dpop.ts';
import { OAuthError, PageError } from './errors.ts';
import { onlyKnown } from './parameters.ts';

/** RFC 9126 §2.2; `expires_in` in seconds. */
interface PushedRequestAnswer {
  readonly request_uri: string;
  readonly expires_in: number;
}

interface PushedRequest {
  readonly authorization: string | undefined;
  readonly form: Form;
  readonly origin: Origin;
  /** A proof of the key that the code will be bound to, which stands for its thumbprint in `dpop_jkt` (RFC 9449 §10.1). */
  readonly dpop: string | undefined;
  readonly offerNonce: OfferNonce;
}

/** @throws OAuthError in the words that a person would read on the page of the authorization endpoint */
export async function pushAuthorizationRequest(
  infrastructure: Infrastructure,
  tenancy: Tenancy,
  { authorization, form, origin, dpop, offerNonce }: PushedRequest,
): Promise<PushedRequestAnswer> {
  const { environmentId } = tenancy;
  const ctx = createContext(infrastructure, { kind: 'user', environmentId, userId: undefined }, origin);
  const said = parameter(form, 'client_id');
  if (said && isDocumentUrl(said)) await clientOfDocument(ctx, tenancy, said).catch(asOAuthError);
  const { applicationId, clientId } = await authenticateClient(infrastructure, tenancy, authorization, form);
  const proved = { tenancy, method: 'POST', url: `${tenancy.issuer}/oauth2/par`, offerNonce };
  const jkt = dpop === undefined ? undefined : await checkProof(infrastructure, dpop, proved);
  const named = parameter(form, 'dpop_jkt');
  if (jkt !== undefined && named !== undefined && named !== jkt)
    throw new OAuthError('invalid_dpop_proof', 'The DPoP proof is by another key than the one that dpop_jkt names.');
  const query = { ...form, client_id: clientId, ...(jkt !== undefined && { dpop_jkt: jkt }) };
  const { refusal } = await checkAuthorization(ctx, tenancy, query, 'application').catch(asOAuthError);
  if (refusal?.code === 'invalid_target' || refusal?.code === 'request_not_supported') throw new OAuthError(refusal.code, refusal.message);
  const parameters = String(onlyKnown(query));
  return {
    request_uri: await keepPushedRequest(infrastructure, { environmentId, applicationId, parameters }),
    expires_in: PUSHED_REQUEST_SECONDS,
  };
}

/** What a person would read on a page, for an application. */
function asOAuthError(error: unknown): never {
  if (!(error instanceof PageError)) throw error;
  throw new OAuthError(error.status === 429 ? 'temporarily_unavailable' : 'invalid_request', error.description);
}
