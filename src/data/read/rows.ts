// Turns one record of a file (a JSON object, or the named fields of a CSV line) into one row. A record's keys decide its shape;
// a map of columns decides the shape for the whole file.

import { ROW_SHAPES, SHAPE_NAMES, shapeOfColumns, type RowShape, type ColumnMap, type ColumnRole } from './column-map';
import { mapHint } from './columns';
import { ROLES, type DataRow, type Message, type Role } from './types';

/** What is wrong with a record: the field, as a person would write it ('messages[1].role'), and the reason. */
export interface RowFault {
  readonly field: string;
  readonly reason: string;
  /** Made only when it is reported, because a file may have the same fault in every row. */
  readonly remedy?: () => string;
}

export type RowResult = { readonly format: RowShape; readonly row: DataRow } | { readonly fault: RowFault };

type Json = { readonly [key: string]: unknown };
type Read<T> = { readonly value: T } | { readonly fault: RowFault };

/** A field of a record, read from the column that holds it. */
interface Field {
  readonly value: unknown;
  /** In errors: the column, and what it was mapped to. */
  readonly name: string;
  /** In errors about a part of it. */
  readonly column: string;
}

/** The shapes a record may have, for error texts. */
export const KNOWN_SHAPES = 'messages, or prompt and completion, or instruction and output, or text';

const fault = (field: string, reason: string, remedy?: () => string): { readonly fault: RowFault } => ({
  fault: { field, reason, remedy },
});

/** A value in a few words. */
function describe(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return `'${value.length > 40 ? `${value.slice(0, 40)}…` : value}'`;
  return typeof value === 'object' ? 'an object' : `the ${typeof value} ${String(value)}`;
}

/** `columns`: which keys hold the known fields; null: the keys with the same names. Keys that are not in it keep their names. */
export function recordToRow(record: unknown, row: number, columns: ColumnMap | null = null): RowResult {
  if (typeof record !== 'object' || record === null || Array.isArray(record))
    return fault('the row', `is ${describe(record)} and not an object`);
  const json = record as Json;
  const known = columns
    ? shapeOfColumns(columns)
    : SHAPE_NAMES.find((name) => ROW_SHAPES[name].needs.every((role) => Object.hasOwn(json, role)));
  // ShareGPT's name for messages.
  const shared = !known && !columns && Object.hasOwn(json, SHARED);
  const shape = shared ? 'messages' : known;
  if (!shape) {
    const keys = Object.keys(json);
    const listed = keys.length ? `the keys ${keys.slice(0, 8).join(', ')}` : 'no keys';
    return fault('the row', `has ${listed}; expected ${KNOWN_SHAPES}`, keys.length ? () => mapHint(keys) : undefined);
  }
  const field = (role: ColumnRole): Field => {
    const column = columns?.[role] ?? (shared && role === 'messages' ? SHARED : role);
    const value = Object.hasOwn(json, column) ? json[column] : undefined;
    return { value, column, name: columns?.[role] === undefined ? column : `column ${column} (mapped to ${role})` };
  };
  if (shape === 'text') {
    const text = readString(field('text'));
    return 'fault' in text ? text : { format: shape, row: { kind: 'text', text: text.value, row } };
  }
  const messages =
    shape === 'messages'
      ? readMessages(field('messages'))
      : shape === 'instruction'
        ? readInstruction(field('instruction'), field('input'), field('output'))
        : readTurns(field('prompt'), field('completion'));
  return 'fault' in messages ? messages : { format: shape, row: { kind: 'chat', messages: messages.value, row } };
}

/** Strings are a user's and an assistant's turn; lists of messages are one conversation. */
function readTurns(prompt: Field, completion: Field): Read<Message[]> {
  const sides: Message[] = [];
  for (const [field, role] of [
    [prompt, 'user'],
    [completion, 'assistant'],
  ] as const) {
    const side: Read<Message[]> = Array.isArray(field.value) ? readMessages(field) : asTurn(readString(field), role);
    if ('fault' in side) return side;
    sides.push(...side.value);
  }
  return { value: sides };
}

const asTurn = (text: Read<string>, role: Role): Read<Message[]> => ('fault' in text ? text : { value: [{ role, content: text.value }] });

/** instruction, a blank line and input (if there is one) are the user's turn; output is the assistant's. */
function readInstruction(instruction: Field, input: Field, output: Field): Read<Message[]> {
  const asked = readString(instruction);
  if ('fault' in asked) return asked;
  const given = readString({ ...input, value: input.value ?? '' });
  if ('fault' in given) return given;
  const answer = readString(output);
  if ('fault' in answer) return answer;
  return {
    value: [
      { role: 'user', content: given.value === '' ? asked.value : `${asked.value}\n\n${given.value}` },
      { role: 'assistant', content: answer.value },
    ],
  };
}

function readMessages({ value, name, column }: Field): Read<Message[]> {
  if (!Array.isArray(value)) return fault(name, `is ${describe(value)}${value === undefined ? '' : ' and not a list'}`);
  if (value.length === 0) return fault(name, 'is an empty list');
  const messages: Message[] = [];
  for (const [i, entry] of (value as unknown[]).entries()) {
    const at = `${column}[${i}]`;
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return fault(at, `is ${describe(entry)} and not an object`);
    const { role, content } = messageOf(entry as Json);
    if (!ROLES.includes(role as Role)) return fault(`${at}.role`, `is ${describe(role)}; expected ${ROLES.join(', ')}`);
    const text = readString({ value: content, name: `${at}.content`, column });
    if ('fault' in text) return text;
    messages.push({ role: role as Role, content: text.value });
  }
  return { value: messages };
}

const SHARED = 'conversations';
/** The names of the roles in ShareGPT's files. */
const SHARED_ROLES: ReadonlyMap<unknown, Role> = new Map([
  ['human', 'user'],
  ['gpt', 'assistant'],
  ['chatgpt', 'assistant'],
  ['model', 'assistant'],
  ['observation', 'tool'],
  ['function', 'tool'],
]);

/** role and content, or ShareGPT's from and value. */
function messageOf(entry: Json): { readonly role: unknown; readonly content: unknown } {
  if (Object.hasOwn(entry, 'role') || !Object.hasOwn(entry, 'from')) return { role: entry.role, content: entry.content };
  return { role: SHARED_ROLES.get(entry.from) ?? entry.from, content: entry.value };
}

const readString = ({ value, name }: Field): Read<string> =>
  typeof value === 'string' ? { value } : fault(name, `is ${describe(value)}${value === undefined ? '' : ' and not a string'}`);
