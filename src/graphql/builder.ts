/** The one schema builder. Features add their types to it; `schema.ts` loads them all. */
import { setImmediate } from 'node:timers/promises';
import SchemaBuilder from '@pothos/core';
import PrismaPlugin from '@pothos/plugin-prisma';
import RelayPlugin from '@pothos/plugin-relay';
import { GraphQLError } from 'graphql';
import { DateTimeResolver, JSONResolver } from 'graphql-scalars';
import type PrismaTypes from '../db/generated/pothos.ts';
import { getDatamodel } from '../db/generated/pothos.ts';
import type { GraphContext } from './context.ts';
import { lazyPagesPlugin } from './lazy-pages.ts';
import { DEFAULT_PAGE, MAX_PAGE, PAGE_OPTIONS, pagesPlugin } from './pages.ts';
import { plannedRowsPlugin } from './planned-rows.ts';
import { policyPlugin } from './policy.ts';
import { weightsPlugin } from './weights.ts';

/** An uploaded file (GraphQL multipart request specification). */
export interface Upload {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  stream(): AsyncIterable<Uint8Array>;
}

/** Bytes of an upload that are copied at once. */
const COPIED = 2 * 1024 * 1024;

/** A copy of what an upload holds, made piece by piece, between which others have their turn. */
export async function bytesOf(file: Upload): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(file.size);
  let length = 0;
  let turn = 0;
  for await (const piece of file.stream()) {
    bytes.set(piece, length);
    length += piece.length;
    if (length - turn < COPIED) continue;
    await setImmediate();
    turn = length;
  }
  return bytes;
}

export const builder = new SchemaBuilder<{
  Context: GraphContext;
  PrismaTypes: PrismaTypes;
  DefaultFieldNullability: false;
  DefaultInputFieldRequiredness: false;
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    JSON: { Input: unknown; Output: unknown };
    File: { Input: Upload; Output: never };
  };
}>({
  plugins: [RelayPlugin, pagesPlugin, policyPlugin, weightsPlugin, plannedRowsPlugin, lazyPagesPlugin, PrismaPlugin],
  defaultFieldNullability: false,
  relay: { clientMutationId: 'omit', cursorType: 'String', ...PAGE_OPTIONS },
  prisma: {
    client: (ctx) => ctx.services.database.prisma,
    dmmf: getDatamodel(),
    maxConnectionSize: MAX_PAGE,
    defaultConnectionSize: DEFAULT_PAGE,
    exposeDescriptions: false,
    onUnusedQuery: null,
  },
});

builder.addScalarType('DateTime', DateTimeResolver);
builder.addScalarType('JSON', JSONResolver);
builder.scalarType('File', {
  description: 'A file, sent by the GraphQL multipart request specification.',
  parseValue: (value) => {
    if (isUpload(value)) return value;
    throw notAFile();
  },
  parseLiteral: () => {
    throw notAFile();
  },
  serialize: () => {
    throw new Error('A file is only ever sent to the server.');
  },
});

export function isUpload(value: unknown): value is Upload {
  return typeof (value as Partial<Upload> | null)?.stream === 'function';
}

function notAFile(): GraphQLError {
  return new GraphQLError('A file is sent as a part of its own, by the GraphQL multipart request specification.');
}

builder.queryType({ description: 'Everything that can be read.' });
builder.mutationType({ description: 'Everything that can be changed. Each mutation answers with what it changed, or with typed errors.' });
