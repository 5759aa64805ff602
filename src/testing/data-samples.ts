// Small made-up samples for tests: tokens are recognisable, masks uneven.

import { DEFAULTS } from '../config/run-config';
import type { Mask } from '../data/tokenize/chat';
import { prepareData } from './whole-data';
import type { Tokenizer } from '../data/tokenize/tokenizer';
import type { DataRow, Sample } from '../data/read/types';

/** l tokens 100·i, 100·i + 1, …; every second token (and the last) counts toward the loss. */
export function numberedSample(i: number, length: number): Sample {
  const ids = Uint32Array.from({ length }, (_, at) => 100 * i + at);
  const target = Uint8Array.from({ length }, (_, at) => (at > 0 && (at % 2 === 1 || at === length - 1) ? 1 : 0));
  return { ids, target };
}

export interface SampleOptions {
  readonly seqLen: number;
  readonly mask: Mask;
  readonly badRows: 'refuse' | 'skip';
  readonly name: string;
  /** True if the rows are one continuous text. */
  readonly continuous: boolean;
}

/** Takes rows through the whole preparation, with nothing held out. Throws the error with which a run would be refused. */
export function buildSamples(rows: readonly DataRow[], tokenizer: Tokenizer, { name, continuous, ...options }: SampleOptions) {
  const data = { name, format: continuous ? ('plain' as const) : ('mixed' as const), rows, badRows: [] };
  const { train, summary, lengths, badRows } = prepareData(data, null, tokenizer, { ...DEFAULTS, ...options, evalSplit: 0, dedupe: false });
  const { truncated, dropped, perAnswer, tokens, targets } = summary;
  return { samples: train, stats: { truncated, dropped, perAnswer, refused: badRows, samples: train.length, tokens, targets, lengths } };
}
