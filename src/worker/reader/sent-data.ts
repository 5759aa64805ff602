// A tokenised file on its way between two threads: its blocks of tokens are handed over, the lists go as typed arrays.

import { AppError, errorInfo, type ErrorInfo } from '../../base/errors';
import { TokenStore, type TokenBlock } from '../../data/batch/token-store';
import type { LoadedData } from '../../data/sample/loading';
import type { Encoding } from '../../data/tokenize/encoding';

type Lists = Pick<Encoding, 'rows' | 'starts' | 'lengths' | 'chats' | 'rowLengths'>;

export interface SentData extends Omit<LoadedData, 'refusal' | 'encoding'> {
  readonly refusal: ErrorInfo | null;
  readonly vocabSize: number;
  /** Tokens in all blocks. */
  readonly tokens: number;
  readonly encoding: Omit<Encoding, 'store' | keyof Lists> & Lists;
}

/** All but the blocks. */
export function sentData({ encoding, refusal, ...rest }: LoadedData): SentData {
  const { store, perAnswer, refused, roughCuts, ending, unread } = encoding;
  return {
    ...rest,
    refusal: refusal && errorInfo(refusal),
    vocabSize: store.vocabSize,
    tokens: store.length,
    encoding: {
      rows: Uint32Array.from(encoding.rows),
      starts: Float64Array.from(encoding.starts),
      lengths: Uint32Array.from(encoding.lengths),
      chats: Uint8Array.from(encoding.chats, Number),
      rowLengths: Uint32Array.from(encoding.rowLengths),
      perAnswer,
      refused,
      roughCuts,
      ending,
      unread,
    },
  };
}

export function receivedData({ encoding, refusal, vocabSize, tokens, ...rest }: SentData, blocks: readonly TokenBlock[]): LoadedData {
  return {
    ...rest,
    refusal: refusal && new AppError(refusal.code, refusal.detail, refusal.remedy),
    encoding: { ...encoding, store: TokenStore.of(vocabSize, blocks, tokens) },
  };
}
