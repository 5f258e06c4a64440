/**
 * Takes in uploaded files on a thread of their own: the largest ones take seconds to read, in which the process goes on
 * answering everybody else. One at a time, in the order in which they came, so that files never add up to more memory.
 */
import { type ResourceLimits, Worker } from 'node:worker_threads';
import { InvalidInputError } from '../../kernel/errors.ts';
import { assertImportSize } from './csv.ts';
import type { ImportFile } from './read-file.ts';
import type { Answer } from './read-file-worker.ts';

/** A file that was read, with all of its chunks. */
export interface TakenIn extends ImportFile {
  readonly chunks: readonly Uint8Array[];
}

/** Of the thread’s own heap. The largest file of the shortest lines takes somewhat more than half of it. */
const LIMITS: ResourceLimits = { maxOldGenerationSizeMb: 2048, maxYoungGenerationSizeMb: 48 };

let last: Promise<unknown> = Promise.resolve();

/**
 * Reads a file, when those before it are read. Its bytes move to the thread: `content` is empty afterwards.
 * @throws InvalidInputError as {@link readFile} does, and FILE_TOO_LARGE for what there is not enough memory for
 */
export async function takeIn(content: Uint8Array<ArrayBuffer>, limits = LIMITS): Promise<TakenIn> {
  assertImportSize(content.byteLength);
  const file = last.then(() => readOnThread(content, limits));
  last = file.catch(() => {});
  return file;
}

function readOnThread(content: Uint8Array<ArrayBuffer>, resourceLimits: ResourceLimits): Promise<TakenIn> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let end = (code: number) => reject(new Error(`The thread that read a file ended with ${code}.`));
    const thread = new Worker(new URL('read-file-worker.ts', import.meta.url), {
      workerData: content,
      transferList: [content.buffer],
      resourceLimits,
    });
    thread.on('message', (answer: Answer) => {
      if ('chunks' in answer) for (const chunk of answer.chunks) chunks.push(chunk);
      else if ('file' in answer) end = () => resolve({ ...answer.file, chunks });
      else end = () => reject(new InvalidInputError(answer.refusal.code, answer.refusal.message, answer.refusal.path));
    });
    thread.on('error', (error: NodeJS.ErrnoException) => {
      end = () => reject(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? tooMuch() : error);
    });
    thread.on('exit', (code) => end(code)); // Not before: then its memory is free again.
  });
}

function tooMuch(): InvalidInputError {
  const message = 'The file holds more than this server has memory for. Split it and import the parts one after another.';
  return new InvalidInputError('FILE_TOO_LARGE', message, ['file']);
}
