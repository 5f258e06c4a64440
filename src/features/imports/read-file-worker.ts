/** The thread that reads a file (see take-in.ts): it is given the bytes, answers with {@link Answer}s, and ends. */
import { parentPort, workerData } from 'node:worker_threads';
import { InvalidInputError } from '../../kernel/errors.ts';
import { type ImportFile, readFile } from './read-file.ts';

/** Chunks come in any number of pieces; last of all comes the rest about the file, or what it is refused for. */
export type Answer =
  | { readonly chunks: readonly Uint8Array[] }
  | { readonly file: Omit<ImportFile, 'chunks'> }
  | { readonly refusal: { readonly code: string; readonly message: string; readonly path: readonly string[] } };

/** Chunks that are handed over at once: so that whoever takes them is never held up for long. */
const CHUNKS_A_PIECE = 20;

const answer = (message: Answer) => parentPort!.postMessage(message);

try {
  const { chunks, ...file } = readFile(workerData as Uint8Array);
  let piece: Uint8Array[] = [];
  for (const chunk of chunks) {
    piece.push(chunk);
    if (piece.length < CHUNKS_A_PIECE) continue;
    answer({ chunks: piece });
    piece = [];
  }
  answer({ chunks: piece });
  answer({ file });
} catch (error) {
  if (!(error instanceof InvalidInputError)) throw error;
  answer({ refusal: { code: error.code, message: error.message, path: error.inputPath } });
}
