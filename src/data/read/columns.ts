// The columns of a file, and which of them probably hold the known fields under other names. A suggestion is only offered; a
// run reads what the person mapped.

import { ROW_SHAPES, SHAPE_NAMES, type ColumnMap } from './column-map';

/** Pairs of a question and its answer under names that are common, the surest first. */
const PAIRS: readonly (readonly [string, string])[] = [
  ['question', 'answer'],
  ['query', 'response'],
  ['user', 'assistant'],
  ['human', 'assistant'],
  ['input', 'output'],
  ['source', 'target'],
  ['problem', 'solution'],
  ['term', 'definition'],
  ['word', 'definition'],
  ['front', 'back'],
  ['title', 'text'],
  ['title', 'body'],
  ['headline', 'article'],
  ['document', 'summary'],
];
const ASKING = ['prompt', 'question', 'query', 'instruction', 'user', 'human', 'input', 'source', 'problem'];
const ANSWERING = ['completion', 'answer', 'response', 'reply', 'assistant', 'output', 'target', 'solution', 'chosen', 'label'];
const CONVERSATIONS = ['conversations', 'conversation', 'chat', 'dialogue', 'dialog'];
const TEXTS = ['content', 'body', 'document', 'article', 'sentence', 'paragraph', 'story', 'quote'];

/**
 * A likely map for columns of these names (any case), in the file's own spelling; null if the columns already have a known
 * shape, or if their names say nothing. A text column with a title is a known shape and gets a suggestion too.
 */
export function suggestColumns(columns: readonly string[]): ColumnMap | null {
  const byName = new Map<string, string>();
  for (const column of columns) {
    const name = column.trim().toLowerCase();
    if (!byName.has(name)) byName.set(name, column);
  }
  const find = (name: string): string | undefined => byName.get(name);
  const first = (names: readonly string[]): string | undefined => names.map(find).find((column) => column !== undefined);
  const known = SHAPE_NAMES.find((shape) => ROW_SHAPES[shape].needs.every((role) => columns.includes(role)));
  if (known && known !== 'text') return null;

  const instruction = find('instruction');
  const reply = first(['output', 'response', 'answer', 'completion']);
  if (instruction !== undefined && reply !== undefined) {
    const input = first(['input', 'context']);
    return { instruction, ...(input === undefined ? {} : { input }), output: reply };
  }
  for (const [asked, answered] of PAIRS) {
    const [prompt, completion] = [find(asked), find(answered)];
    if (prompt !== undefined && completion !== undefined) return { prompt, completion };
  }
  if (known) return null;
  const [prompt, completion] = [first(ASKING), first(ANSWERING)];
  if (prompt !== undefined && completion !== undefined) return { prompt, completion };
  const messages = first(CONVERSATIONS);
  if (messages !== undefined) return { messages };
  const text = first(TEXTS) ?? (columns.length === 1 && columns[0].trim() !== '' ? columns[0] : undefined);
  return text === undefined ? null : { text };
}

/** prompt=question,completion=answer: as the command line takes it. */
export const columnsText = (map: ColumnMap): string =>
  Object.entries(map)
    .map(([role, column]) => `${role}=${column}`)
    .join(',');

/** What to do about unknown columns. */
export function mapHint(columns: readonly string[]): string {
  const example = columnsText(suggestColumns(columns) ?? { prompt: columns[0], completion: columns[1] ?? '…' });
  return `Say which column holds what, for example ${example}: --columns in the terminal, “Columns” in the page's data preview.`;
}

/** Rows whose keys are data themselves could have any number of them. */
export const MOST_COLUMNS = 200;

/** Counts the columns of rows as they come: most frequent first, then by first appearance. */
export class ColumnCount {
  readonly #times = new Map<string, number>();

  add(columns: readonly string[]): void {
    for (const column of columns) {
      const times = this.#times.get(column);
      if (times !== undefined || this.#times.size < MOST_COLUMNS) this.#times.set(column, (times ?? 0) + 1);
    }
  }

  names(): string[] {
    return [...this.#times].sort(([, a], [, b]) => b - a).map(([name]) => name);
  }
}
