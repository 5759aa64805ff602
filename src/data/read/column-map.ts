// The shapes that a data row may have, as sets of known fields. A map of columns names the fields of one shape, and every row
// of the file then has that shape. Pure.

/** The known fields of a data row. */
export const COLUMN_ROLES = ['messages', 'prompt', 'completion', 'instruction', 'input', 'output', 'text'] as const;
export type ColumnRole = (typeof COLUMN_ROLES)[number];
/** Which of a file's columns (or JSON keys) stands for a known field: { prompt: 'question', completion: 'answer' }. */
export type ColumnMap = Readonly<Partial<Record<ColumnRole, string>>>;

export type RowShape = 'messages' | 'prompt_completion' | 'instruction' | 'text';

interface Fields {
  readonly needs: readonly ColumnRole[];
  /** Fields that a row of this shape can do without. */
  readonly may: readonly ColumnRole[];
}

/** If nothing is mapped, a row has the first shape of which it has all fields. */
export const ROW_SHAPES: Readonly<Record<RowShape, Fields>> = {
  messages: { needs: ['messages'], may: [] },
  prompt_completion: { needs: ['prompt', 'completion'], may: [] },
  instruction: { needs: ['instruction', 'output'], may: ['input'] },
  text: { needs: ['text'], may: [] },
};

export const SHAPE_NAMES = Object.keys(ROW_SHAPES) as RowShape[];

export const rolesOf = (shape: RowShape): readonly ColumnRole[] => [...ROW_SHAPES[shape].needs, ...ROW_SHAPES[shape].may];

/** The one shape that has all the mapped fields; null if there is none, or if nothing is mapped. */
export function shapeOfColumns(columns: ColumnMap): RowShape | null {
  const roles = Object.keys(columns) as ColumnRole[];
  if (roles.length === 0) return null;
  return SHAPE_NAMES.find((shape) => roles.every((role) => rolesOf(shape).includes(role))) ?? null;
}

/** What is wrong with a map, or null. */
export function columnsProblem(columns: ColumnMap): string | null {
  const entries = Object.entries(columns);
  if (entries.length === 0) return 'No column is named.';
  const nameless = entries.find(([, column]) => column.trim() === '');
  if (nameless) return `The column for ${nameless[0]} has no name.`;
  return shapeOfColumns(columns) ? null : `${entries.map(([role]) => role).join(' and ')} are not fields of one kind of row.`;
}

export const COLUMNS_REMEDY = 'Map messages, or prompt and completion, or instruction, input and output, or text.';
