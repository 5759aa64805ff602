// From tokenized files to what a run trains and evaluates on, with the numbers that the person sees.

import { AppError } from '../../base/errors';
import { copiesOf } from './duplicates';
import { lengthStats, type LengthStats } from './lengths';
import type { LoadedData } from './loading';
import { rowError } from '../read/parse';
import { noTargets } from './samples';
import { splitAtEnd, splittingAtRandom } from './split';
import { within, type Steps } from './steps';
import type { Mask } from '../tokenize/chat';
import type { Ending } from '../tokenize/ending';
import { StoredSamples, type SampleList, type TokenStore } from '../batch/token-store';
import type { BadRow } from '../read/types';

/** A data set in figures, as the person is told. */
export interface DataSummary {
  readonly name: string;
  readonly format: string;
  readonly rows: number;
  readonly evalRows: number;
  /** Copies of held-out rows in the training part: taken out of it, or, with dedupe off, left there. */
  readonly duplicates: number;
  readonly tokens: number;
  readonly targets: number;
  readonly truncated: number;
  readonly dropped: number;
  /** Rows that became a sample for each answer, because the chat template rewrites earlier turns. */
  readonly perAnswer: number;
  readonly badRows: number;
  /** Different tokens in the samples to train on. Summaries of earlier versions don't have it. */
  readonly distinct?: number;
  readonly ending: Ending;
  /** Keys of the files that were not read, and in how many rows. */
  readonly unread: Readonly<Record<string, number>>;
}

export interface Dataset {
  readonly train: SampleList;
  /** Empty if nothing is held out. */
  readonly evaluation: SampleList;
  /** The tokens that occur in the samples to train on, as inputs or as targets; rising. */
  readonly tokens: Uint32Array;
  /** rows: documents to train on; tokens and targets: one epoch of them; the other counts are over all files. */
  readonly summary: DataSummary;
  readonly badRows: readonly BadRow[];
  /** Copies of held-out rows in the training part. They are removed from it, or, with dedupe off, left there. */
  readonly duplicates: number;
  readonly lengths: LengthStats;
}

/** A data set, whether or not a run can use it, and what happened to every row of the main file. */
export interface Preparation extends Dataset {
  /** Number of tokens of each row, uncut. */
  readonly rowLengths: ArrayLike<number>;
  /** Indices of rows, from 0. Empty for one continuous text, because its windows are split, not its one row. */
  readonly held: ReadonlySet<number>;
  readonly copies: ReadonlySet<number>;
  /** Why a run refuses the data. */
  readonly refusal: AppError | null;
}

/** Settings of a run on which its samples depend. */
export interface DataConfig {
  readonly seqLen: number;
  readonly mask: Mask;
  readonly badRows: 'refuse' | 'skip';
  readonly evalSplit: number;
  readonly seed: number;
  readonly dedupe: boolean;
}

/**
 * Cuts and splits in steps. It always runs to the end, whatever is wrong with rows. `evaluation` null: a share evalSplit of the
 * data is held out (of one continuous text, its end).
 */
export function* preparing(data: LoadedData, evaluation: LoadedData | null, config: DataConfig): Steps<Preparation> {
  const share = data.rowCount / Math.max(1, data.rowCount + (evaluation?.rowCount ?? 0));
  const main = yield* within(cutting(data, config.seqLen), 0, share);
  const other = evaluation && (yield* within(cutting(evaluation, config.seqLen), share, 1 - share));
  // Each of these goes over all rows at once. They are separate steps, so that none delays other requests for long.
  const parts = yield* partsOf(data, main, evaluation, other, config);
  yield 1;
  const train = yield* samplesOf(parts.train);
  const held = yield* samplesOf(parts.held);
  const tokens = yield* tokensOf(parts.train);
  const { encoding } = data;
  const lengths = lengthStats(encoding.rowLengths);
  yield 1;
  const bad = [...data.badRows, ...encoding.refused, ...(evaluation?.badRows ?? []), ...(evaluation?.encoding.refused ?? [])];
  return {
    train,
    evaluation: held,
    tokens,
    summary: {
      name: data.name,
      format: data.format ?? 'text',
      rows: parts.trainRows,
      evalRows: parts.heldRows,
      duplicates: parts.copies.size,
      tokens: parts.train.reduce((sum, { tokens }) => sum + tokens, 0),
      targets: parts.train.reduce((sum, { targets }) => sum + targets, 0),
      truncated: main.truncated + (other?.truncated ?? 0),
      dropped: main.dropped + (other?.dropped ?? 0),
      perAnswer: encoding.perAnswer + (evaluation?.encoding.perAnswer ?? 0),
      badRows: bad.length,
      distinct: tokens.length,
      ending: encoding.ending,
      unread: { ...evaluation?.encoding.unread, ...encoding.unread },
    },
    badRows: bad,
    duplicates: parts.copies.size,
    lengths,
    rowLengths: encoding.rowLengths,
    held: parts.heldIndexes,
    copies: parts.copies,
    refusal:
      refusalOf(data, main, config) ?? (evaluation && other && refusalOf(evaluation, other, config)) ?? emptied(data, evaluation, parts),
  };
}

/** The unit that is trained on or held out: a row with its windows, or one window of a continuous text. */
interface Document {
  /** The row's index, from 0. */
  readonly index: number;
  readonly store: TokenStore;
  readonly starts: readonly number[];
  readonly lengths: readonly number[];
  /** Tokens that go through the model, and those that count toward the loss. */
  readonly tokens: number;
  readonly targets: number;
  /** A hash of the ids; it only says which documents are worth comparing. */
  readonly hash: number;
}

interface Cut {
  readonly documents: readonly Document[];
  /** Conversations that were cut off at T + 1 tokens, and rows without a target. */
  readonly truncated: number;
  readonly dropped: number;
}

/** Tokens between two steps. */
const TOKENS_A_STEP = 100_000;

/** Documents between two steps when they are only listed. */
const DOCUMENTS_A_STEP = 2 ** 14;

/** Windows of T + 1 tokens, T apart; only the first one of a conversation. Windows without a target are left out. */
function* cutting({ encoding, format }: LoadedData, seqLen: number): Steps<Cut> {
  const { store, rows, starts: partStarts, lengths: partLengths, chats } = encoding;
  const documents: Document[] = [];
  let [truncated, dropped, since] = [0, 0, 0];
  for (let part = 0; part < rows.length;) {
    const index = rows[part];
    let [starts, lengths, tokens, targets]: [number[], number[], number, number] = [[], [], 0, 0];
    const close = (): void => {
      if (starts.length > 0) documents.push({ index, store, starts, lengths, tokens, targets, hash: store.hash(starts, lengths) });
      [starts, lengths, tokens, targets] = [[], [], 0, 0];
    };
    let cutOff = false;
    const before = documents.length;
    for (; part < rows.length && rows[part] === index; part++) {
      const begin = partStarts[part];
      const length = chats[part] ? Math.min(partLengths[part], seqLen + 1) : partLengths[part];
      cutOff ||= length < partLengths[part];
      for (let at = 0; at + 1 < length; at += seqLen) {
        const window = Math.min(seqLen + 1, length - at);
        const found = store.targets(begin + at + 1, window - 1);
        since += window;
        if (since > TOKENS_A_STEP) {
          since = 0;
          yield (part + at / length) / rows.length;
        }
        if (found === 0) continue;
        starts.push(begin + at);
        lengths.push(window);
        tokens += window - 1;
        targets += found;
        if (format === 'plain') close();
      }
    }
    close();
    if (cutOff) truncated++;
    if (documents.length === before) dropped++;
  }
  return { documents, truncated, dropped };
}

function* samplesOf(documents: readonly Document[]): Steps<SampleList> {
  if (documents.length === 0) return [];
  const [starts, lengths]: [number[], number[]] = [[], []];
  for (const [i, document] of documents.entries()) {
    for (const start of document.starts) starts.push(start);
    for (const length of document.lengths) lengths.push(length);
    if (i % DOCUMENTS_A_STEP === 0) yield 1;
  }
  return new StoredSamples(documents[0].store, starts, lengths);
}

/** Special tokens count like others: whatever a sample holds goes through the embedding. */
function* tokensOf(documents: readonly Document[]): Steps<Uint32Array> {
  if (documents.length === 0) return new Uint32Array();
  const seen = new Uint8Array(documents[0].store.vocabSize);
  let since = 0;
  for (const { store, starts, lengths, tokens } of documents) {
    for (const [i, start] of starts.entries()) store.mark(start, lengths[i], seen);
    since += tokens;
    if (since <= TOKENS_A_STEP) continue;
    since = 0;
    yield 1;
  }
  return Uint32Array.from([...seen.keys()].filter((id) => seen[id] === 1));
}

interface Parts {
  readonly train: readonly Document[];
  readonly held: readonly Document[];
  readonly trainRows: number;
  readonly heldRows: number;
  /** Rows of the main file. */
  readonly heldIndexes: ReadonlySet<number>;
  readonly copies: ReadonlySet<number>;
}

function* partsOf(data: LoadedData, main: Cut, evaluation: LoadedData | null, other: Cut | null, config: DataConfig): Steps<Parts> {
  const { evalSplit, seed, dedupe } = config;
  const indexes = (documents: readonly Document[]): ReadonlySet<number> => new Set(documents.map(({ index }) => index));
  if (!other && data.format === 'plain') {
    const { train, held } = splitAtEnd(main.documents, evalSplit);
    return { train, held, trainRows: train.length, heldRows: held.length, heldIndexes: new Set(), copies: new Set() };
  }
  const split = other ? { train: main.documents, held: other.documents } : yield* splittingAtRandom(main.documents, evalSplit, seed);
  yield 1;
  // Two continuous texts are two documents; equal parts of them do not count as duplicates.
  const copies = data.format === 'plain' && evaluation?.format === 'plain' ? [] : copiesOf(split.train, split.held);
  yield 1;
  const taken = new Set(dedupe ? copies : []);
  let { held } = split;
  let train = split.train.filter((document) => !taken.has(document));
  // If all rows are copies of each other, none can be held out, and none is.
  const alike = !other && train.length === 0;
  if (alike) [train, held] = [[...main.documents], []];
  return {
    train,
    held,
    trainRows: data.format === 'plain' ? Math.min(1, train.length) : train.length,
    heldRows: evaluation?.format === 'plain' ? Math.min(1, held.length) : held.length,
    heldIndexes: indexes(other ? [] : held),
    copies: indexes(alike ? [] : copies),
  };
}

function refusalOf({ name, encoding }: LoadedData, { documents }: Cut, { mask, badRows }: DataConfig): AppError | null {
  const [first] = encoding.refused;
  if (first && (badRows === 'refuse' || documents.length === 0)) return rowError(name, first);
  return documents.length === 0 ? noTargets(name, mask) : null;
}

/** Every training row was a copy of a row of the evaluation file. */
function emptied({ name }: LoadedData, evaluation: LoadedData | null, { train }: Parts): AppError | null {
  if (train.length > 0 || !evaluation) return null;
  return new AppError(
    'NO_TARGETS',
    `Every row of ${name} is also in ${evaluation.name}, and copies of held-out rows are not trained on.`,
    'Choose other evaluation data, or keep the duplicates.',
  );
}
