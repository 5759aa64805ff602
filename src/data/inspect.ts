// Data as a run would read it, for a person to look at: the same parsing, tokenising, splitting and counting as
// prepareData, but nothing is refused. Bad rows are listed, and the preview says what a run would refuse.

import type { RunConfig } from '../config';
import { errorInfo } from '../errors';
import { chatOf } from './chat';
import { preparing, type DataConfig, type Preparation } from './dataset';
import { lengthHistogram } from './lengths';
import { parseRefusal, readData, type DataFile, type ReadData } from './parse';
import type { DataHead, DataPreview, PreviewRow, PreviewToken, RowUse } from './preview';
import { cutConversation, cutDocument, longest, rowEncoder, type Encoded } from './samples';
import { finish, within } from './steps';
import { tokenTexts } from './token-texts';
import type { Tokenizer } from './tokenizer';
import type { DataRow, Sample } from './types';

/** Rows and bad rows that are shown. */
const SHOWN_ROWS = 50;
const SHOWN_BAD_ROWS = 200;
const SHOWN_HELD_WINDOWS = 5;
/** Share of the work that is reading; nearly all the rest is tokenising. */
const READING = 0.05;

export type InspectConfig = DataConfig & Pick<RunConfig, 'columns'>;

export interface InspectInput {
  readonly data: DataFile;
  /** Null: a share of the data is held out. */
  readonly evaluation: DataFile | null;
  readonly tokenizer: Tokenizer;
  readonly config: InspectConfig;
}

export interface InspectStep {
  /** 0 to 1. */
  readonly fraction: number;
  /** Once the first rows are there. */
  readonly head: DataHead | null;
}

export const inspectData = (input: InspectInput): DataPreview => finish(inspecting(input));

/** In steps. Errors: DATASET_READ for a file name that says no known format, TOKEN_RANGE, TOKENIZER. */
export function* inspecting({ data, evaluation, tokenizer, config }: InspectInput): Generator<InspectStep, DataPreview> {
  const steps = { fraction: 0, head: null as DataHead | null };
  function* told<T>(work: Generator<number, T>, start: number, length: number): Generator<InspectStep, T> {
    const part = within(work, start, length);
    for (;;) {
      const { done, value } = part.next();
      if (done) return value;
      yield { ...steps, fraction: value };
    }
  }
  const main = yield* told(readData(data, config.columns), 0, READING / 2);
  const other = evaluation && (yield* told(readData(evaluation, config.columns), READING / 2, READING / 2));
  // Plain text is one row, which cannot be tokenised in part.
  const shown = main.format === 'plain' ? [] : firstRows(main, tokenizer, config);
  steps.head =
    main.format === 'plain'
      ? null
      : headOf(
          main,
          tokenizer,
          shown.map(({ row }) => row),
        );
  yield { ...steps, fraction: READING };

  const prepared = yield* told(preparing(usable(main), other && usable(other), tokenizer, config), READING, 1 - READING);
  const { summary, refusal } = prepared;
  const rows =
    main.format === 'plain'
      ? windowRows(prepared, evaluation === null, tokenizer)
      : shown.map(({ index, row }) => ({ ...row, use: useOf(index, row, prepared) }));
  const refused = parseRefusal(main, config.badRows) ?? (other && parseRefusal(other, config.badRows)) ?? refusal;
  const { rows: trainRows, evalRows, duplicates, tokens, targets, truncated, dropped, perAnswer, badRows } = summary;
  return {
    ...headOf(main, tokenizer, rows),
    badRows: prepared.badRows.slice(0, SHOWN_BAD_ROWS),
    counts: {
      rows: trainRows,
      evalRows,
      duplicates,
      tokens,
      targets,
      truncated,
      dropped,
      perAnswer,
      badRows,
      samples: prepared.train.length,
    },
    lengths: { ...prepared.lengths, ...lengthHistogram(prepared.rowLengths, config.seqLen + 1) },
    refusal: refused && errorInfo(refused),
  };
}

/** Where no row could be read the format is of no consequence. */
const usable = (data: ReadData) => ({ ...data, format: data.format ?? ('text' as const) });

function headOf(data: ReadData, tokenizer: Tokenizer, rows: readonly PreviewRow[]): DataHead {
  const chat = data.rows.some(({ kind }) => kind === 'chat');
  const template = !chat ? 'none' : chatOf(tokenizer).ownTemplate ? 'model' : 'fallback';
  return { name: data.name, format: data.format, columns: data.columns, rows, template };
}

interface ShownRow {
  /** Place among the rows. */
  readonly index: number;
  readonly row: PreviewRow;
}

/** The first rows that the chat template takes; the others are bad rows. */
function firstRows({ rows }: ReadData, tokenizer: Tokenizer, { mask, seqLen }: InspectConfig): ShownRow[] {
  const encode = rowEncoder(tokenizer, { mask, continuous: false });
  const shown: ShownRow[] = [];
  for (const [index, row] of rows.entries()) {
    if (shown.length === SHOWN_ROWS || index >= 4 * SHOWN_ROWS) break;
    const whole = encode(row, row.row ?? index + 1);
    if ('reason' in whole) continue;
    // Of several samples the last, which holds the whole conversation.
    const tokens = tokensOf(firstSample(row, whole.at(-1)!, seqLen), tokenizer);
    const perAnswer = whole.length > 1 ? { perAnswer: whole.length } : {};
    shown.push({ index, row: { row, use: 'training', tokens, length: longest(whole), ...perAnswer } });
  }
  return shown;
}

/** What of a row the model gets first; of one that is dropped, what it would get. */
function firstSample(row: DataRow, whole: Encoded, seqLen: number): Encoded {
  const document = cutConversation(row, whole, seqLen);
  const first: Sample | undefined = cutDocument(document, seqLen)[0];
  return first ?? { ids: document.ids.slice(0, seqLen + 1), target: new Uint8Array(Math.min(document.ids.length, seqLen + 1)) };
}

function tokensOf({ ids, target }: Encoded, tokenizer: Tokenizer): PreviewToken[] {
  const list = [...ids];
  const special = new Set(tokenizer.specialTokens);
  const isSpecial = (id: number): boolean =>
    id === tokenizer.bosId || tokenizer.eosIds.includes(id) || special.has(tokenizer.tokenText(id));
  return tokenTexts(tokenizer, list).map((text, i) => ({ text, id: list[i], target: target[i] === 1, special: isSpecial(list[i]) }));
}

function useOf(index: number, { tokens }: PreviewRow, { held, copies }: Preparation): RowUse {
  if (held.has(index)) return 'evaluation';
  if (copies.has(index)) return 'duplicate';
  return tokens.some(({ target }) => target) ? 'training' : 'dropped';
}

/** The first windows of one continuous text, and the first of those that its end was held out for. */
function windowRows({ train, evaluation }: Preparation, splitHere: boolean, tokenizer: Tokenizer): PreviewRow[] {
  const held = splitHere ? evaluation.slice(0, SHOWN_HELD_WINDOWS) : [];
  const row = ({ ids, target }: Sample, number: number, use: RowUse): PreviewRow => {
    const tokens = tokensOf({ ids, target }, tokenizer);
    return { row: { kind: 'text', text: tokens.map(({ text }) => text).join(''), row: number }, use, tokens, length: ids.length };
  };
  return [
    ...train.slice(0, SHOWN_ROWS - held.length).map((sample, i) => row(sample, i + 1, 'training')),
    ...held.map((sample, i) => row(sample, train.length + i + 1, 'evaluation')),
  ];
}
