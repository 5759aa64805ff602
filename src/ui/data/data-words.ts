// The preview of the data in words. Pure.

import type { DataPreview, PreviewRow, RowUse } from '../../data/sample/preview';
import { endingText } from '../../data/tokenize/ending';
import { formatCount, formatPercent, plural } from '../format';

const SHAPES: Readonly<Record<string, string>> = {
  messages: 'chat messages',
  prompt_completion: 'prompts and completions',
  instruction: 'instructions and outputs',
  text: 'texts',
  mixed: 'rows of several kinds',
};

/** "JSONL, chat messages", "CSV, texts", "Plain text". */
export function formatName(format: DataPreview['format']): string {
  if (format === null) return 'No readable rows';
  if (format === 'plain') return 'Plain text';
  const [kind, shape] = format.startsWith('csv:') ? ['CSV', format.slice(4)] : ['JSONL', format];
  return `${kind}, ${SHAPES[shape]}`;
}

const unit = ({ format }: Pick<DataPreview, 'format'>): string => (format === 'plain' ? 'window' : 'row');

/** "JSONL, chat messages · 826 rows · 97,432 tokens": what a run trains on. */
export function oneLine(preview: DataPreview): string {
  const { format, counts } = preview;
  if (format === null) return formatName(format);
  return `${formatName(format)} · ${plural(counts.rows, unit(preview))} · ${plural(counts.tokens, 'token')}`;
}

/** Percent, with a decimal if the number would round to zero. */
function share(part: number, whole: number): string {
  if (whole === 0) return formatPercent(0);
  const percent = (part / whole) * 100;
  return part > 0 && percent < 1 ? `${Math.max(0.1, percent).toFixed(1)} %` : formatPercent(part / whole);
}

export interface Fact {
  readonly id:
    'training' | 'evaluation' | 'loss' | 'cut' | 'dropped' | 'duplicates' | 'malformed' | 'template' | 'answers' | 'ending' | 'unread';
  readonly name: string;
  readonly text: string;
  /** Something that the person may want to change. */
  readonly notable: boolean;
}

export interface FactSettings {
  readonly seqLen: number;
  readonly dedupe: boolean;
  readonly badRows: 'refuse' | 'skip';
  /** The held-out rows come from a separate file. */
  readonly ownEvaluation: boolean;
}

const TEMPLATES: Readonly<Record<DataPreview['template'], string>> = {
  model: 'the model’s own template',
  fallback: 'the model has none; rows are written as User: … Assistant: …',
  joined: 'none; prompt and completion are joined as they are',
  none: 'none; the rows are plain text',
};

export function facts(preview: DataPreview, { seqLen, dedupe, badRows, ownEvaluation }: FactSettings): Fact[] {
  const { counts, template } = preview;
  const rows = counts.rows + counts.evalRows + counts.dropped + (dedupe ? counts.duplicates : 0);
  const fact = (id: Fact['id'], name: string, text: string, notable = false): Fact => ({ id, name, text, notable });
  const plain = preview.format === 'plain';
  const list = [
    fact(
      'training',
      'Trained on',
      `${plural(counts.rows, unit(preview))}, ${plural(counts.tokens, 'token')} per epoch${counts.distinct === undefined ? '' : `, ${formatCount(counts.distinct)} of them different`}`,
    ),
    fact('evaluation', 'Held out', heldOut(preview, ownEvaluation), counts.evalRows === 0),
    fact(
      'loss',
      'Count toward the loss',
      `${formatCount(counts.targets)} tokens, ${share(counts.targets, counts.tokens)}`,
      counts.targets === 0,
    ),
    plain
      ? fact('cut', 'Cut', `${plural(preview.lengths.max, 'token')}, into windows of ${formatCount(seqLen)}`)
      : fact('cut', 'Cut off', cutOff(preview, seqLen, rows), counts.truncated > 0),
    fact(
      'dropped',
      'Left out',
      counts.dropped === 0 ? 'none' : `${plural(counts.dropped, 'row')} without a token to learn`,
      counts.dropped > 0,
    ),
  ];
  if (!plain) {
    list.push(
      fact('duplicates', 'Duplicates', duplicates(counts.duplicates, dedupe), counts.duplicates > 0 && !dedupe),
      fact('malformed', 'Malformed', malformed(counts.badRows, badRows), counts.badRows > 0),
    );
  }
  if (counts.perAnswer > 0)
    list.push(
      fact('answers', 'Split', `${plural(counts.perAnswer, 'row')}, one sample per answer, because the template rewrites earlier turns`),
    );
  const unread = Object.entries(preview.unread);
  if (unread.length > 0)
    list.push(fact('unread', 'Not read', unread.map(([key, rows]) => `${key} (${plural(rows, 'row')})`).join(', '), true));
  const ending = endingText(preview.ending);
  if (ending !== null) list.push(fact('ending', 'Ending', ending, preview.ending.token === null));
  if (template !== 'none') list.push(fact('template', 'Chat template', TEMPLATES[template], template === 'fallback'));
  return list;
}

function heldOut(preview: DataPreview, ownFile: boolean): string {
  const { rows, evalRows } = preview.counts;
  if (evalRows === 0) return 'none, so there is no evaluation loss';
  const what = plural(evalRows, unit(preview));
  return ownFile ? `${what}, from a separate file` : `${what}, ${share(evalRows, rows + evalRows)}`;
}

function cutOff({ counts: { truncated } }: DataPreview, seqLen: number, rows: number): string {
  if (truncated === 0) return 'none';
  return `${plural(truncated, 'row')}, ${share(truncated, rows)}, longer than ${formatCount(seqLen)} tokens`;
}

function duplicates(count: number, dedupe: boolean): string {
  if (count === 0) return 'none of the held-out rows';
  const copies = plural(count, 'copy of a held-out row', 'copies of held-out rows');
  return dedupe ? `${copies}, not trained on` : `${copies}, trained on anyway`;
}

function malformed(count: number, badRows: 'refuse' | 'skip'): string {
  if (count === 0) return 'none';
  return badRows === 'skip' ? `${plural(count, 'row')}, skipped` : `${plural(count, 'row')}; a run refuses the file`;
}

export function lengthSummary({ lengths: { p50, p95, max } }: DataPreview): string {
  return `Half of the rows have at most ${plural(p50, 'token')}, 95 % at most ${formatCount(p95)}; the longest has ${formatCount(max)}.`;
}

const USES: Readonly<Record<RowUse, string>> = {
  training: 'trained on',
  evaluation: 'held out',
  duplicate: 'copy of a held-out row',
  dropped: 'left out: nothing to learn',
};

export const nameOfUse = (use: RowUse): string => USES[use];

/** "Row 3", "Window 3": numbers as in the file. */
export const rowName = ({ row }: PreviewRow, format: DataPreview['format'], index: number): string =>
  `${format === 'plain' ? 'Window' : 'Row'} ${formatCount(row.row ?? index + 1)}`;

/** "134 tokens, the rest is cut off; 96 count toward the loss". */
export function rowSummary({ row, tokens, length, perAnswer }: PreviewRow, seqLen: number): string {
  const targets = tokens.filter(({ target }) => target).length;
  const carried =
    targets === 0 ? 'none counts toward the loss' : `${formatCount(targets)} ${targets === 1 ? 'counts' : 'count'} toward the loss`;
  const loss = perAnswer === undefined ? carried : `${carried}; the last of ${perAnswer} samples, one per answer`;
  if (length <= tokens.length) return `${plural(length, 'token')}; ${loss}`;
  const rest = row.kind === 'chat' ? 'the rest is cut off' : `the first of ${plural(Math.ceil((length - 1) / seqLen), 'window')}`;
  return `${formatCount(tokens.length)} of ${plural(length, 'token')}, ${rest}; ${loss}`;
}
