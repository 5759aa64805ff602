// What a run reads: the model, the data, and the names of the data's columns. None of this enters a link.

import { COLUMN_ROLES, COLUMNS_REMEDY, columnsProblem, type ColumnMap } from '../../data/read/column-map';
import { bad, good, refused, row, type OwnKind, type Parsed } from '../field';
import { isObject, last, onlyKeys, optional, readJson, text } from '../kinds';

export const BUILTIN_MODEL = 'wordsmith-2m';
const BUILTIN_DATA = 'devils-dictionary';

/** field=column,field=column. A column's name may hold commas and equals signs. */
const columnMap: OwnKind<ColumnMap> = {
  type: 'own',
  placeholder: 'field=column,…',
  check: (value) => {
    const expected = `the name of a column for any of ${COLUMN_ROLES.join(', ')}`;
    if (!isObject(value) || !onlyKeys(value, COLUMN_ROLES)) return bad(expected);
    return Object.values(value).every((column) => text('column').check(column).ok) ? good(value as ColumnMap) : bad(expected);
  },
  fault: (columns) => {
    const problem = columnsProblem(columns);
    return problem === null ? null : { problem, remedy: COLUMNS_REMEDY };
  },
  parse: (texts) => parseColumns(last(texts)),
  toFlag: (columns) => [
    Object.entries(columns)
      .map(([role, column]) => `${role}=${column}`)
      .join(','),
  ],
  toLink: (columns) => JSON.stringify(columns),
  fromLink: readJson,
};

function parseColumns(written: string): Parsed<ColumnMap> {
  const entries: (readonly [string, string])[] = [];
  for (const part of written.split(new RegExp(`,(?=\\s*(?:${COLUMN_ROLES.join('|')})=)`))) {
    const [, role = '', column = ''] = /^\s*(\w+)=(.*)$/s.exec(part) ?? [];
    if (!COLUMN_ROLES.some((known) => known === role) || column.trim() === '')
      return refused(
        `'${part}' is not field=column.`,
        `Enter columns for any of ${COLUMN_ROLES.join(', ')}, for example prompt=question,completion=answer.`,
      );
    if (entries.some(([other]) => other === role)) return refused(`${role} is given twice.`, 'Enter one column for each field.');
    entries.push([role, column]);
  }
  return good(Object.fromEntries(entries));
}

export const SOURCES = {
  /** Built-in name or, in the terminal, a directory in Hugging Face layout. */
  model: row(text('dir|name'), {
    default: BUILTIN_MODEL,
    flag: 'model',
    help: 'directory in Hugging Face layout, .gguf file, org/name[@revision] on the Hub, or a built-in name',
    simple: true,
    scope: 'source',
    listed: true,
  }),
  /** Built-in name or, in the terminal, a file. */
  data: row(text('file|name|org/name'), {
    default: BUILTIN_DATA,
    flag: 'data',
    help: '.jsonl, .csv, .txt or .parquet file, a built-in name, or a data set of the hub: org/name, org/name#config/split',
    simple: true,
    scope: 'source',
    listed: true,
  }),
  /** Evaluation set; null: the built-in data's own, else a split of the data. */
  evalData: row(optional(text('file|org/name')), {
    default: null,
    flag: 'eval-data',
    help: 'held-out data',
    simple: true,
    scope: 'source',
  }),
  /** Names of the columns that hold the known fields, if the file uses other names; null: the known names. */
  columns: row(optional(columnMap), {
    default: null,
    flag: 'columns',
    help: 'columns that have other names than the known fields: prompt=question,completion=answer',
    simple: true,
    scope: 'local',
    shapesData: true,
  }),
};
