/** Clients whose id is the URL of their metadata (draft-ietf-oauth-client-id-metadata-document), where the environment allows them. */
import { type Client, findClient } from '../features/applications/service.ts';
import type { Context } from '../features/context.ts';
import { countDocument, isDocumentFresh, keepDocumentClient } from '../features/dynamic-clients/service.ts';
import type { Tenancy } from '../features/environments/directory.ts';
import { getFromStranger, problemOfStrangerUrl } from '../security/strangers.ts';
import { clientMetadata, objectIn } from './client-registration.ts';
import { OAuthError, PageError } from './errors.ts';

const MAX_BYTES = 5 * 1024;
const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json *(?:;|$)/i;

/** Is the client id the URL of the client's metadata? */
export function isDocumentUrl(clientId: string): boolean {
  return clientId.includes('://');
}

/** The client whose metadata are at `clientId`, as they were within the last hour; undefined where such clients are not allowed.
 * @throws PageError when they cannot be read, or are not that client's */
export async function clientOfDocument(ctx: Context, tenancy: Tenancy, clientId: string): Promise<Client | undefined> {
  if (!tenancy.allowsMetadataDocuments) return undefined;
  const options = { allowLoopback: !ctx.config.production };
  const problem = problemOfStrangerUrl(clientId, options);
  if (problem) throw unusable(problem);
  const url = new URL(clientId);
  if (url.href !== clientId || url.pathname === '/') throw unusable('The client_id is not the URL of a document.');
  if (!(await isDocumentFresh(ctx, tenancy, clientId))) {
    if ((await countDocument(ctx, tenancy)) !== undefined) throw new PageError(429, 'too_many_applications');
    await keepDocumentClient(ctx, tenancy, clientId, await readDocument(ctx, url, options));
    ctx.lookups.forget(tenancy.environmentId);
  }
  return findClient(ctx, tenancy.environmentId, clientId);
}

async function readDocument(ctx: Context, url: URL, options: { allowLoopback: boolean }) {
  const document = await getFromStranger(url, MAX_BYTES, { ...options, type: JSON_TYPE })
    .then((text) => objectIn(JSON.parse(text)))
    .catch((error: unknown) => {
      ctx.log.info({ error: (error as Error).name }, 'a client’s metadata document could not be read');
      throw unusable('Its metadata document cannot be read.');
    });
  if (document['client_id'] !== url.href) throw unusable('Its metadata document is of another client_id.');
  if ('client_secret' in document) throw unusable('Its metadata document holds a secret.');
  try {
    return clientMetadata(ctx, document);
  } catch (error) {
    throw error instanceof OAuthError ? unusable(error.message) : error;
  }
}

function unusable(why: string): PageError {
  return new PageError(400, 'unusable_application', { number: 1656, detail: why });
}
