// One record of a file (a JSON object, or the named fields of a CSV line) to one row. Which of the known shapes it
// has is decided record by record, by its keys.

import { ROLES, type DataRow, type Message, type Role } from './types';

export type RowFormat = 'messages' | 'prompt_completion' | 'instruction' | 'text';

/** What is wrong with a record: the field, as a person would write it ('messages[1].role'), and the reason. */
export interface RowFault {
  readonly field: string;
  readonly reason: string;
}

export type RowResult = { readonly format: RowFormat; readonly row: DataRow } | { readonly fault: RowFault };

type Fields = { readonly [key: string]: unknown };
type Read<T> = { readonly value: T } | { readonly fault: RowFault };

/** The shapes a record may have, for error texts. */
export const KNOWN_SHAPES = 'messages, or prompt and completion, or instruction and output, or text';

const fault = (field: string, reason: string): { readonly fault: RowFault } => ({ fault: { field, reason } });

/** A value in a few words. */
function describe(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return `'${value.length > 40 ? `${value.slice(0, 40)}…` : value}'`;
  return typeof value === 'object' ? 'an object' : `the ${typeof value} ${String(value)}`;
}

export function recordToRow(record: unknown, row: number): RowResult {
  if (typeof record !== 'object' || record === null || Array.isArray(record))
    return fault('the row', `is ${describe(record)} and not an object`);
  const fields = record as Fields;
  const has = (...keys: string[]): boolean => keys.every((key) => Object.hasOwn(fields, key));
  if (has('messages')) return chatRow('messages', readMessages(fields.messages, 'messages'), row);
  if (has('prompt', 'completion')) return promptCompletion(fields, row);
  if (has('instruction', 'output')) return chatRow('instruction', readInstruction(fields), row);
  if (has('text')) {
    const text = readString(fields.text, 'text');
    return 'fault' in text ? text : { format: 'text', row: { kind: 'text', text: text.value, row } };
  }
  const keys = Object.keys(fields).slice(0, 8);
  return fault('the row', `has ${keys.length ? `the keys ${keys.join(', ')}` : 'no keys'}; expected ${KNOWN_SHAPES}`);
}

function chatRow(format: RowFormat, messages: Read<Message[]>, row: number): RowResult {
  return 'fault' in messages ? messages : { format, row: { kind: 'chat', messages: messages.value, row } };
}

/** Strings are a user's and an assistant's turn; lists of messages are one conversation. */
function promptCompletion({ prompt, completion }: Fields, row: number): RowResult {
  const sides: Message[] = [];
  for (const [field, value, role] of [
    ['prompt', prompt, 'user'],
    ['completion', completion, 'assistant'],
  ] as const) {
    const side: Read<Message[]> = Array.isArray(value) ? readMessages(value, field) : asTurn(readString(value, field), role);
    if ('fault' in side) return side;
    sides.push(...side.value);
  }
  return { format: 'prompt_completion', row: { kind: 'chat', messages: sides, row } };
}

const asTurn = (text: Read<string>, role: Role): Read<Message[]> => ('fault' in text ? text : { value: [{ role, content: text.value }] });

/** instruction, a blank line and input (where there is one) are the user's turn, output the assistant's. */
function readInstruction(fields: Fields): Read<Message[]> {
  const instruction = readString(fields.instruction, 'instruction');
  if ('fault' in instruction) return instruction;
  const input = readString(fields.input ?? '', 'input');
  if ('fault' in input) return input;
  const output = readString(fields.output, 'output');
  if ('fault' in output) return output;
  const content = input.value === '' ? instruction.value : `${instruction.value}\n\n${input.value}`;
  return {
    value: [
      { role: 'user', content },
      { role: 'assistant', content: output.value },
    ],
  };
}

function readMessages(value: unknown, field: string): Read<Message[]> {
  if (!Array.isArray(value)) return fault(field, `is ${describe(value)} and not a list`);
  if (value.length === 0) return fault(field, 'is an empty list');
  const messages: Message[] = [];
  for (const [i, entry] of (value as unknown[]).entries()) {
    const at = `${field}[${i}]`;
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return fault(at, `is ${describe(entry)} and not an object`);
    const { role, content } = entry as Fields;
    if (!ROLES.includes(role as Role)) return fault(`${at}.role`, `is ${describe(role)}; expected ${ROLES.join(', ')}`);
    const text = readString(content, `${at}.content`);
    if ('fault' in text) return text;
    messages.push({ role: role as Role, content: text.value });
  }
  return { value: messages };
}

const readString = (value: unknown, field: string): Read<string> =>
  typeof value === 'string' ? { value } : fault(field, `is ${describe(value)}${value === undefined ? '' : ' and not a string'}`);
