// From parsed files to what a run trains and evaluates on, with the numbers that are told to the person.

import type { RunConfig } from '../config';
import { AppError } from '../errors';
import type { DataSummary } from '../train/protocol';
import { copiesOf } from './duplicates';
import { lengthStats, type LengthStats } from './lengths';
import { rowError, type ParsedData } from './parse';
import { cutDocument, encodingRows, noTargets, sampleStats, type Document, type EncodedRows } from './samples';
import { splitAtEnd, splitAtRandom } from './split';
import { finish, within, type Steps } from './steps';
import type { Tokenizer } from './tokenizer';
import type { BadRow, Sample } from './types';

export interface Dataset {
  readonly train: readonly Sample[];
  /** Empty where nothing is held out. */
  readonly evaluation: readonly Sample[];
  /** rows: documents to train on; tokens and targets: one epoch of them; the other counts are over all files. */
  readonly summary: DataSummary;
  readonly badRows: readonly BadRow[];
  /** Copies of held-out rows in the training part: taken out of it, or, with dedupe off, left there. */
  readonly duplicates: number;
  readonly lengths: LengthStats;
}

/** A data set, whether or not a run can use it, and what became of every row of the main file. */
export interface Preparation extends Dataset {
  /** Tokens of each row, nothing cut. */
  readonly rowLengths: readonly number[];
  /** Places of rows, from 0. Empty for one continuous text, whose windows are split and not its one row. */
  readonly held: ReadonlySet<number>;
  readonly copies: ReadonlySet<number>;
  /** Why a run refuses it. */
  readonly refusal: AppError | null;
}

export type DataConfig = Pick<RunConfig, 'seqLen' | 'mask' | 'badRows' | 'evalSplit' | 'seed' | 'dedupe'>;

/**
 * Tokenises, splits and cuts. `evaluation` null: a share evalSplit of the data is held out (of one continuous text,
 * its end). Errors: NO_TARGETS where a file has nothing to train or evaluate on; TOKEN_RANGE, TOKENIZER, DATASET_PARSE.
 */
export function prepareData(data: ParsedData, evaluation: ParsedData | null, tokenizer: Tokenizer, config: DataConfig): Dataset {
  const {
    refusal,
    train,
    evaluation: held,
    summary,
    badRows,
    duplicates,
    lengths,
  } = finish(preparing(data, evaluation, tokenizer, config));
  if (refusal) throw refusal;
  return { train, evaluation: held, summary, badRows, duplicates, lengths };
}

/** The same in steps, and to the end whatever is wrong with rows. Errors: TOKEN_RANGE, TOKENIZER. */
export function* preparing(data: ParsedData, evaluation: ParsedData | null, tokenizer: Tokenizer, config: DataConfig): Steps<Preparation> {
  const { seqLen, mask } = config;
  const encoding = (file: ParsedData): Steps<EncodedRows> =>
    encodingRows(file.rows, tokenizer, { seqLen, mask, badRows: 'skip', name: file.name, continuous: file.format === 'plain' });
  const share = data.rows.length / (data.rows.length + (evaluation?.rows.length ?? 0));
  const main = yield* within(encoding(data), 0, share);
  const other = evaluation && (yield* within(encoding(evaluation), share, 1 - share));

  const parts = partsOf(data, main, evaluation, other, config);
  const { tokens, targets } = sampleStats(parts.train);
  const bad = [...data.badRows, ...main.refused, ...(evaluation?.badRows ?? []), ...(other?.refused ?? [])];
  return {
    train: parts.train,
    evaluation: parts.held,
    summary: {
      name: data.name,
      format: data.format,
      rows: parts.trainRows,
      evalRows: parts.heldRows,
      duplicates: parts.copies.size,
      tokens,
      targets,
      truncated: main.truncated + (other?.truncated ?? 0),
      dropped: main.dropped + (other?.dropped ?? 0),
      perAnswer: main.perAnswer + (other?.perAnswer ?? 0),
      badRows: bad.length,
    },
    badRows: bad,
    duplicates: parts.copies.size,
    lengths: lengthStats(main.lengths),
    rowLengths: main.lengths,
    held: parts.heldIndexes,
    copies: parts.copies,
    refusal:
      refusalOf(data, main, config) ?? (evaluation && other && refusalOf(evaluation, other, config)) ?? emptied(data, evaluation, parts),
  };
}

interface Parts {
  readonly train: readonly Sample[];
  readonly held: readonly Sample[];
  readonly trainRows: number;
  readonly heldRows: number;
  /** Rows of the main file. */
  readonly heldIndexes: ReadonlySet<number>;
  readonly copies: ReadonlySet<number>;
}

function partsOf(
  data: ParsedData,
  main: EncodedRows,
  evaluation: ParsedData | null,
  other: EncodedRows | null,
  { seqLen, evalSplit, seed, dedupe }: DataConfig,
): Parts {
  const cut = (documents: readonly Document[]): Sample[] =>
    documents.flatMap(({ parts }) => parts.flatMap((part) => cutDocument(part, seqLen)));
  const indexes = (documents: readonly Document[]): ReadonlySet<number> => new Set(documents.map(({ index }) => index));
  if (!other && data.format === 'plain') {
    const { train, held } = splitAtEnd(cut(main.documents), evalSplit);
    return { train, held, trainRows: train.length, heldRows: held.length, heldIndexes: new Set(), copies: new Set() };
  }
  const split = other ? { train: main.documents, held: other.documents } : splitAtRandom(main.documents, evalSplit, seed);
  // Two continuous texts are two documents; that parts of them are equal is not what is asked here.
  const copies = data.format === 'plain' && evaluation?.format === 'plain' ? [] : copiesOf(split.train, split.held);
  const taken = new Set(dedupe ? copies : []);
  let { held } = split;
  let train = split.train.filter((document) => !taken.has(document));
  // Of rows that are all copies of each other none can be held out, and none is.
  const alike = !other && train.length === 0;
  if (alike) [train, held] = [[...main.documents], []];
  return {
    train: cut(train),
    held: cut(held),
    trainRows: train.length,
    heldRows: held.length,
    heldIndexes: indexes(other ? [] : held),
    copies: indexes(alike ? [] : copies),
  };
}

function refusalOf({ name }: ParsedData, { documents, refused }: EncodedRows, { mask, badRows }: DataConfig): AppError | null {
  const [first] = refused;
  if (first && (badRows === 'refuse' || documents.length === 0)) return rowError(name, first);
  return documents.length === 0 ? noTargets(name, mask) : null;
}

/** Every row to train on was a copy of a row of the evaluation file. */
function emptied({ name }: ParsedData, evaluation: ParsedData | null, { train }: Parts): AppError | null {
  if (train.length > 0 || !evaluation) return null;
  return new AppError(
    'NO_TARGETS',
    `Every row of ${name} is in ${evaluation.name} too, and copies of held-out rows are not trained on.`,
    'Give other evaluation data, or keep the duplicates.',
  );
}
