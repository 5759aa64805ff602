// From parsed files to what a run trains and evaluates on, with the numbers that are told to the person.

import type { RunConfig } from '../config';
import type { DataSummary } from '../train/protocol';
import { rowError, type ParsedData } from './parse';
import { cutDocument, encodeRows, noTargets, sampleStats, type Document, type EncodedRows, type LengthStats } from './samples';
import { splitAtEnd, splitAtRandom } from './split';
import type { Tokenizer } from './tokenizer';
import type { BadRow, Sample } from './types';

export interface Dataset {
  readonly train: readonly Sample[];
  /** Empty where nothing is held out. */
  readonly evaluation: readonly Sample[];
  /** rows: documents to train on; tokens and targets: one epoch of them; the other counts are over all files. */
  readonly summary: DataSummary;
  readonly badRows: readonly BadRow[];
  /** Copies of held-out rows that were taken out of training. */
  readonly duplicates: number;
  readonly lengths: LengthStats;
}

type DataConfig = Pick<RunConfig, 'seqLen' | 'mask' | 'badRows' | 'evalSplit' | 'seed'>;

/**
 * Tokenises, splits and cuts. `evaluation` null: a share evalSplit of the data is held out (of one continuous text,
 * its end). Errors: NO_TARGETS where a file has nothing to train or evaluate on; TOKEN_RANGE, TOKENIZER, DATASET_PARSE.
 */
export function prepareData(data: ParsedData, evaluation: ParsedData | null, tokenizer: Tokenizer, config: DataConfig): Dataset {
  const { seqLen, mask, badRows, evalSplit, seed } = config;
  const encode = (file: ParsedData): EncodedRows => {
    const encoded = encodeRows(file.rows, tokenizer, { seqLen, mask, badRows, name: file.name, continuous: file.format === 'plain' });
    if (encoded.documents.length === 0) {
      const [refused] = encoded.refused;
      throw refused ? rowError(file.name, refused.row, refused.reason) : noTargets(file.name, mask);
    }
    return encoded;
  };
  const cut = (documents: readonly Document[]): Sample[] => documents.flatMap((document) => cutDocument(document, seqLen));

  const main = encode(data);
  const other = evaluation && encode(evaluation);
  let train: readonly Sample[];
  let held: readonly Sample[];
  let counts: { readonly rows: number; readonly evalRows: number; readonly duplicates: number };
  if (other) {
    [train, held] = [cut(main.documents), cut(other.documents)];
    counts = { rows: main.documents.length, evalRows: other.documents.length, duplicates: 0 };
  } else if (data.format === 'plain') {
    const split = splitAtEnd(cut(main.documents), evalSplit);
    [train, held] = [split.train, split.held];
    counts = { rows: train.length, evalRows: held.length, duplicates: 0 };
  } else {
    const split = splitAtRandom(main.documents, ({ ids }) => ids.join(), evalSplit, seed);
    [train, held] = [cut(split.train), cut(split.held)];
    counts = { rows: split.train.length, evalRows: split.held.length, duplicates: split.duplicates };
  }

  const { tokens, targets } = sampleStats(train);
  const bad = [...data.badRows, ...main.refused, ...(evaluation?.badRows ?? []), ...(other?.refused ?? [])];
  return {
    train,
    evaluation: held,
    summary: {
      name: data.name,
      format: data.format,
      rows: counts.rows,
      evalRows: counts.evalRows,
      duplicates: counts.duplicates,
      tokens,
      targets,
      truncated: main.truncated + (other?.truncated ?? 0),
      dropped: main.dropped + (other?.dropped ?? 0),
      badRows: bad.length,
    },
    badRows: bad,
    duplicates: counts.duplicates,
    lengths: main.lengths,
  };
}
