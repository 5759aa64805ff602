// A tied model's head is its embedding matrix, so its files need not contain a head. If they do, it must be that matrix:
// loaders differ in which of the two they use, and so in what the model computes.

import { AppError } from '../../base/errors';
import type { FileSource } from './file-source';
import type { StoredTensor } from './tensor-match';

/** Throws MODEL_UNSUPPORTED unless both are of one type and size. */
export function checkTiedHead(embedding: StoredTensor, head: StoredTensor): void {
  if (head.dtype !== embedding.dtype || head.end - head.begin !== embedding.end - embedding.begin) throw another(embedding, head);
}

/** Throws MODEL_UNSUPPORTED unless the head's bytes from `at` on are these of the embedding. */
export async function checkTiedPiece(
  source: FileSource,
  embedding: StoredTensor,
  head: StoredTensor,
  at: number,
  bytes: Uint8Array,
): Promise<void> {
  const stored = await source.read(head.file, head.begin + at, head.begin + at + bytes.byteLength);
  if (!stored.every((byte, i) => byte === bytes[i])) throw another(embedding, head);
}

const another = (embedding: StoredTensor, head: StoredTensor): AppError =>
  new AppError(
    'MODEL_UNSUPPORTED',
    `${head.file}: tensor ${head.name} differs from ${embedding.name}, but tie_word_embeddings in config.json says that they are the same matrix.`,
    'If the head was trained separately, set "tie_word_embeddings": false in config.json. Otherwise remove the tensor from the file.',
  );
