/**
 * Registered operations, which a request may name by their hash in the place of a document: as Apollo's persisted
 * queries do, or as the persisted documents of GraphQL over HTTP. None is registered by a request, as "automatic"
 * persisted queries would: what a machine is bound to would then be for any caller to extend.
 */
import { GraphQLError } from 'graphql';
import type { GraphQLParams, Plugin } from 'graphql-yoga';
import type { Infrastructure } from '../features/context.ts';
import { findBoundDocument, findDocument } from '../features/operations/service.ts';
import { sha256 } from '../security/secrets.ts';
import type { Account } from './charging.ts';

/** What a request may say besides GraphQL's own parameters. */
export const DOCUMENT_ID = 'documentId';

/** Puts the document in the place of its hash, and holds a machine that is bound to its operations. */
export function persistedOperations(infrastructure: Infrastructure): Plugin<{ account: Account }> {
  return {
    onParams: async ({ params, setParams, context }) => {
      const { actor } = (context as unknown as { account: Account }).account;
      const hash = hashOf(params);
      const text = typeof params?.query === 'string' ? params.query : undefined;
      if (actor.kind === 'machine' && actor.isBoundToOperations) {
        const wanted = text === undefined ? hash : sha256(text);
        const document = wanted && (await findBoundDocument(infrastructure, actor, wanted));
        if (!document) throw refusal('OPERATION_NOT_ALLOWED', 'This application may run its registered operations only.', 403);
        return setParams({ ...params, query: document });
      }
      if (hash === undefined) return;
      if (text !== undefined) {
        if (sha256(text) !== hash) throw refusal('BAD_USER_INPUT', 'The hash is not that of the document.');
        return;
      }
      const document = await findDocument(infrastructure, actor, hash);
      if (!document) throw refusal('NOT_FOUND', 'PersistedQueryNotFound');
      setParams({ ...params, query: document });
    },
  };
}

/** The SHA-256 hash that a request names its operation by, in lower-case hex. */
function hashOf(params: GraphQLParams | undefined): string | undefined {
  const { documentId } = (params ?? {}) as { documentId?: unknown };
  if (documentId !== undefined && documentId !== null) {
    const hash = typeof documentId === 'string' ? /^sha256:([0-9a-f]{64})$/.exec(documentId)?.[1] : undefined;
    if (!hash) throw refusal('BAD_USER_INPUT', 'A documentId is `sha256:` and the SHA-256 hash of the document, in lower-case hex.');
    return hash;
  }
  const persisted = params?.extensions?.['persistedQuery'] as { version?: unknown; sha256Hash?: unknown } | null | undefined;
  if (persisted === undefined || persisted === null) return undefined;
  const { version, sha256Hash } = persisted;
  if (version !== 1 || typeof sha256Hash !== 'string' || !/^[0-9a-f]{64}$/i.test(sha256Hash))
    throw refusal('BAD_USER_INPUT', 'extensions.persistedQuery has version 1 and sha256Hash, the SHA-256 hash of the document in hex.');
  return sha256Hash.toLowerCase();
}

function refusal(code: string, message: string, status = 400): GraphQLError {
  return new GraphQLError(message, { extensions: { code, http: { spec: true, status } } });
}
