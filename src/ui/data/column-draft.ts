// A column mapping while a person makes it: a shape, and a column for each of its fields. Some fields may still be empty. Pure.

import { ROW_SHAPES, rolesOf, shapeOfColumns, type RowShape, type ColumnMap, type ColumnRole } from '../../data/read/column-map';

export interface ColumnDraft {
  readonly shape: RowShape;
  /** '' if none is chosen. */
  readonly columns: Readonly<Partial<Record<ColumnRole, string>>>;
}

export const SHAPE_LABELS: Readonly<Record<RowShape, string>> = {
  messages: 'Chat messages',
  prompt_completion: 'Prompt and completion',
  instruction: 'Instruction, input, output',
  text: 'Text',
};

/** The column with the field's own name: it is read if the map names no other. */
export const ownColumn = (role: ColumnRole, columns: readonly string[]): string =>
  columns.find((column) => column.toLowerCase() === role) ?? '';

/** A shape's fields, from columns with their names, and from the suggestion if it has the same shape. */
export function draftOf(shape: RowShape, columns: readonly string[], suggestion: ColumnMap | null): ColumnDraft {
  const likely = suggestion && shapeOfColumns(suggestion) === shape ? suggestion : {};
  return filled(shape, likely, columns);
}

/** Starts from the mapping that was chosen before. */
export function draftOfMap(map: ColumnMap, columns: readonly string[]): ColumnDraft | null {
  const shape = shapeOfColumns(map);
  return shape && filled(shape, map, columns);
}

const filled = (shape: RowShape, map: ColumnMap, columns: readonly string[]): ColumnDraft => ({
  shape,
  columns: Object.fromEntries(rolesOf(shape).map((role) => [role, map[role] ?? ownColumn(role, columns)])),
});

export const withColumn = (draft: ColumnDraft, role: ColumnRole, column: string): ColumnDraft => ({
  ...draft,
  columns: { ...draft.columns, [role]: column },
});

export const needs = (shape: RowShape, role: ColumnRole): boolean => ROW_SHAPES[shape].needs.includes(role);

/** The mapping, once every required field has a column. */
export function mapOf({ shape, columns }: ColumnDraft): ColumnMap | null {
  const chosen = rolesOf(shape).flatMap((role) => (columns[role] ? [[role, columns[role]] as const] : []));
  const missing = ROW_SHAPES[shape].needs.some((role) => !columns[role]);
  return missing ? null : Object.fromEntries(chosen);
}

/** "question as prompt and answer as completion". */
export function describeMap(map: ColumnMap): string {
  const parts = Object.entries(map).map(([role, column]) => `${column} as ${role}`);
  return parts.length < 2 ? (parts[0] ?? '') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}
