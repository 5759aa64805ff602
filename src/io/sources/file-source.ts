// Where a model's files come from: a directory, the page's own server, or a folder that a person chose. The loader knows only
// this interface.

import { AppError } from '../../base/errors';
import { shown } from '../../model/config';

export interface FileSource {
  /** For people: the directory's or the model's name. */
  readonly name: string;
  /** The hub commit of the files; absent if they come from elsewhere. */
  readonly commit?: string;
  /** Paths relative to the source, '/' between the parts. */
  list(): Promise<string[]>;
  /** Bytes. Throws MODEL_FILE. */
  size(path: string): Promise<number>;
  /** Bytes start (0) to end (size), exactly that many. Throws MODEL_FILE. */
  read(path: string, start?: number, end?: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** A name in this directory, not a path out of it or below it. */
export const isPlainName = (path: string): boolean => path !== '' && path !== '.' && path !== '..' && !/[/\\\0]/.test(path);

export function missingFile(source: string, path: string, cause?: unknown): AppError {
  return new AppError('MODEL_FILE', `${source}: ${shown(path)} is missing or cannot be read.`, 'Check that the model folder is complete.', {
    cause,
  });
}

/** For a read that returned another number of bytes than requested. */
export function checkLength(bytes: Uint8Array<ArrayBuffer>, expected: number, source: string, path: string): Uint8Array<ArrayBuffer> {
  if (bytes.byteLength === expected) return bytes;
  const detail = `${source}: ${shown(path)} gave ${bytes.byteLength} bytes where ${expected} were expected: it changed while it was read.`;
  throw new AppError('MODEL_FILE', detail, 'Wait until nothing writes to the file, then load the model again.');
}
