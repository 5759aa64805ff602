// A tied model's head is its embedding matrix, so its files need not hold a head. Where they hold one all the same, it must be
// that matrix: loaders differ in which of the two they believe, and so in what the model computes.

import { AppError } from '../errors';
import type { FileSource } from './file-source';
import type { StoredTensor } from './tensor-match';

const PIECE = 4 * 2 ** 20;

/** Throws MODEL_UNSUPPORTED unless both tensors have the same bytes. `embedding` is the embedding's, already read. */
export async function checkTiedHead(source: FileSource, of: StoredTensor, embedding: Uint8Array, head: StoredTensor): Promise<void> {
  const length = head.end - head.begin;
  let same = head.dtype === of.dtype && length === embedding.byteLength;
  for (let at = 0; same && at < length; at += PIECE) {
    const piece = await source.read(head.file, head.begin + at, head.begin + Math.min(length, at + PIECE));
    same = piece.every((byte, i) => byte === embedding[at + i]);
  }
  if (same) return;
  throw new AppError(
    'MODEL_UNSUPPORTED',
    `${head.file}: tensor ${head.name} is another matrix than ${of.name}, but the config's tie_word_embeddings says that they are one.`,
    'Set "tie_word_embeddings": false in config.json if the head was trained by itself; else remove the tensor from the file.',
  );
}
