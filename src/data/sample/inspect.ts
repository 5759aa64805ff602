// Data as a run would read it, for a person to look at: the same parsing, tokenizing, splitting and counting as in a run, but
// nothing is refused. Bad rows are listed, and the preview says what a run would refuse.

import { errorInfo } from '../../base/errors';
import { chatOf } from '../tokenize/chat';
import { preparing, type DataConfig, type Preparation } from './dataset';
import { lengthHistogram } from './lengths';
import type { LoadConfig, LoadedData } from './loading';
import { parseRefusal } from '../read/parse';
import type { DataHead, DataPreview, PreviewRow, PreviewToken, RowUse } from './preview';
import { cutConversation, cutDocument, longest, rowEncoder, type Encoded } from './samples';
import type { Steps } from './steps';
import type { SampleList } from '../batch/token-store';
import { tokenTexts } from '../tokenize/token-texts';
import type { Tokenizer } from '../tokenize/tokenizer';
import type { DataRow, Sample } from '../read/types';

/** Rows and bad rows that are shown. */
const SHOWN_ROWS = 50;
const SHOWN_BAD_ROWS = 200;
const SHOWN_HELD_WINDOWS = 5;

export type InspectConfig = DataConfig & LoadConfig;

export interface LoadedFiles {
  readonly data: LoadedData;
  readonly evaluation: LoadedData | null;
}

/** What can be shown while the rest is being counted; null for continuous text, and before the first row. */
export function previewHead(sofar: LoadedData, tokenizer: Tokenizer, config: InspectConfig): DataHead | null {
  if (sofar.format === 'plain' || sofar.firstRows.length === 0) return null;
  return headOf(
    sofar,
    tokenizer,
    firstRows(sofar, tokenizer, config).map(({ row }) => row),
  );
}

/** Cuts, splits and counts the tokens, in steps. */
export function* previewing({ data, evaluation }: LoadedFiles, tokenizer: Tokenizer, config: InspectConfig): Steps<DataPreview> {
  const prepared = yield* preparing(data, evaluation, config);
  const { summary, refusal } = prepared;
  const rows =
    data.format === 'plain'
      ? windowRows(prepared, evaluation === null, tokenizer)
      : firstRows(data, tokenizer, config).map(({ index, row }) => ({ ...row, use: useOf(index, row, prepared) }));
  const refused = parseRefusal(data, config.badRows) ?? (evaluation && parseRefusal(evaluation, config.badRows)) ?? refusal;
  const { rows: trainRows, evalRows, duplicates, tokens, targets, truncated, dropped, perAnswer, badRows, distinct } = summary;
  return {
    ...headOf(data, tokenizer, rows),
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
      distinct,
      samples: prepared.train.length,
    },
    lengths: { ...prepared.lengths, ...lengthHistogram(prepared.rowLengths, config.seqLen + 1) },
    refusal: refused && errorInfo(refused),
  };
}

function headOf(data: LoadedData, tokenizer: Tokenizer, rows: readonly PreviewRow[]): DataHead {
  const pairs = data.firstRows.some((row) => row.kind === 'chat');
  const template = !data.chat ? (pairs ? 'joined' : 'none') : chatOf(tokenizer).ownTemplate ? 'model' : 'fallback';
  return {
    name: data.name,
    format: data.format,
    columns: data.columns,
    rows,
    template,
    ending: data.encoding.ending,
    unread: data.encoding.unread,
  };
}

interface ShownRow {
  /** Index of the row. */
  readonly index: number;
  readonly row: PreviewRow;
}

/** The first rows that the chat template accepts; the others are bad rows. */
function firstRows({ firstRows: rows, encoding }: LoadedData, tokenizer: Tokenizer, { mask, seqLen }: InspectConfig): ShownRow[] {
  const encode = rowEncoder(tokenizer, { mask, continuous: false });
  const shown: ShownRow[] = [];
  for (const [index, row] of rows.entries()) {
    if (shown.length === SHOWN_ROWS || index >= 4 * SHOWN_ROWS) break;
    const whole = encode(row, row.row ?? index + 1);
    if ('reason' in whole) continue;
    // If there are several samples, the last one, which holds the whole conversation.
    const tokens = tokensOf(firstSample(row, whole.at(-1)!, seqLen), tokenizer);
    const perAnswer = whole.length > 1 ? { perAnswer: whole.length } : {};
    shown.push({ index, row: { row, use: 'training', tokens, length: encoding.rowLengths[shown.length] ?? longest(whole), ...perAnswer } });
  }
  return shown;
}

/** What the model gets of a row first; for a dropped row, what it would get. */
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

/** The first windows of one continuous text, and the first windows of its held-out end. */
function windowRows({ train, evaluation }: Preparation, splitHere: boolean, tokenizer: Tokenizer): PreviewRow[] {
  const held = splitHere ? first(evaluation, SHOWN_HELD_WINDOWS) : [];
  const row = ({ ids, target }: Sample, number: number, use: RowUse): PreviewRow => {
    const tokens = tokensOf({ ids, target }, tokenizer);
    return { row: { kind: 'text', text: tokens.map(({ text }) => text).join(''), row: number }, use, tokens, length: ids.length };
  };
  return [
    ...first(train, SHOWN_ROWS - held.length).map((sample, i) => row(sample, i + 1, 'training')),
    ...held.map((sample, i) => row(sample, train.length + i + 1, 'evaluation')),
  ];
}

const first = (samples: SampleList, count: number): Sample[] =>
  Array.from({ length: Math.min(count, samples.length) }, (_, i) => samples.at(i)!);
