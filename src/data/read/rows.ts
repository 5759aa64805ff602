// Turns one record of a file (a JSON object, or the named fields of a CSV line) into one row. A record's keys decide its shape;
// a map of columns decides the shape for the whole file. A key is read, or named as unread, or refused where leaving it out would
// change what is learned.

import { ROW_SHAPES, SHAPE_NAMES, shapeOfColumns, type RowShape, type ColumnMap, type ColumnRole } from './column-map';
import { mapHint } from './columns';
import { describe, fault, isObject, readString, saysNothing, type Field, type Read, type RowFault } from './faults';
import { readLiteral } from './literal';
import { looksLikeMessage, NOT_TEXT, readMessages } from './messages';
import type { ChatContext, DataRow, JsonObject, Message, Role } from './types';

export type { RowFault } from './faults';

export type RowResult = { readonly format: RowShape; readonly row: DataRow } | { readonly fault: RowFault };

/** The shapes a record may have, for error texts. */
export const KNOWN_SHAPES = 'messages, or prompt and completion, or instruction and output, or text';

/** ShareGPT's name for messages. */
const SHARED = 'conversations';
/** Keys that every conversation may have. */
const SYSTEM = ['system', 'system_prompt'];
const CONTEXT = ['tools', 'functions', 'documents', 'chat_template_kwargs'];

/** `columns`: which keys hold the known fields; null: the keys with the same names. Keys that are not in it keep their names. */
export function recordToRow(given: unknown, row: number, columns: ColumnMap | null = null): RowResult {
  // A list of messages, as some files have it on every line.
  const record = Array.isArray(given) && given.length > 0 && given.every(looksLikeMessage) ? { messages: given as unknown[] } : given;
  if (!isObject(record)) return fault('the row', `is ${describe(record)} and not an object`);
  const known = columns
    ? shapeOfColumns(columns)
    : SHAPE_NAMES.find((name) => ROW_SHAPES[name].needs.every((role) => Object.hasOwn(record, role)));
  const shared = !known && !columns && Object.hasOwn(record, SHARED);
  const shape = shared ? 'messages' : known;
  if (!shape) {
    const keys = Object.keys(record);
    const listed = keys.length ? `the keys ${keys.slice(0, 8).join(', ')}` : 'no keys';
    return fault('the row', `has ${listed}; expected ${KNOWN_SHAPES}`, keys.length ? () => mapHint(keys) : undefined);
  }
  const used = new Set<string>();
  const field = (role: ColumnRole): Field => {
    const column = columns?.[role] ?? (shared && role === 'messages' ? SHARED : role);
    const value = Object.hasOwn(record, column) ? record[column] : undefined;
    used.add(column);
    return { value, column, name: columns?.[role] === undefined ? column : `column ${column} (mapped to ${role})` };
  };
  const wrong = refused(record);
  if (wrong) return wrong;
  const facts = (): { row: number; unread?: string[] } => {
    const unread = Object.keys(record).filter((key) => !used.has(key) && !saysNothing(record[key]));
    return { row, ...(unread.length > 0 && { unread }) };
  };
  if (shape === 'text') {
    const text = readString(field('text'));
    return 'fault' in text ? text : { format: shape, row: { kind: 'text', text: text.value, ...facts() } };
  }
  const messages =
    shape === 'messages'
      ? readMessages(field('messages'))
      : shape === 'instruction'
        ? readInstruction(field('instruction'), field('input'), field('output'))
        : readTurns(field('prompt'), field('completion'));
  if ('fault' in messages) return messages;
  const around = withSystemAndHistory(messages.value, record, used, shape === 'instruction');
  if ('fault' in around) return around;
  const context = readContext(record, used);
  if ('fault' in context) return context;
  const pair = shape === 'prompt_completion' && [field('prompt'), field('completion')].every(({ value }) => typeof value === 'string');
  return {
    format: shape,
    row: {
      kind: 'chat',
      messages: around.value,
      ...(Object.keys(context.value).length > 0 && { context: context.value }),
      ...(pair && around.value.length === 2 && { pair: true as const }),
      ...facts(),
    },
  };
}

/** What a record may not say, because it would be learned otherwise than it says. */
function refused(record: JsonObject): { readonly fault: RowFault } | null {
  const picture = NOT_TEXT.find((key) => !saysNothing(record[key]));
  if (picture !== undefined) return fault(picture, 'is not text, and only text is read', () => 'Leave such rows out, or remove the field.');
  const { weight, label } = record;
  if (!saysNothing(weight) && weight !== 1 && weight !== '1' && weight !== true)
    return fault(
      'weight',
      `is ${describe(weight)}; rows all count the same`,
      () => 'Remove the field or write 1; to leave a message out of the loss, give that message the weight 0.',
    );
  if (label === false)
    return fault(
      'label',
      'is false: the row is an example of a bad answer',
      () => 'Leave such rows out: every row is learned as a good answer.',
    );
  return null;
}

/** Strings are a user's and an assistant's turn; lists of messages are one conversation, of which the completion is learned. */
function readTurns(prompt: Field, completion: Field): Read<Message[]> {
  const sides: Message[] = [];
  for (const [field, role] of [
    [prompt, 'user'],
    [completion, 'assistant'],
  ] as const) {
    const listed = typeof field.value === 'string' && /^\s*\[\s*\{/.test(field.value) && isMessages(readLiteral(field.value));
    const side: Read<Message[]> = Array.isArray(field.value) || listed ? readMessages(field) : asTurn(readString(field), role);
    if ('fault' in side) return side;
    sides.push(
      ...side.value.map((message) => (role === 'user' && message.role === 'assistant' ? { ...message, train: false as const } : message)),
    );
  }
  return { value: sides };
}

const isMessages = (value: unknown): boolean => Array.isArray(value) && value.length > 0 && value.every(looksLikeMessage);

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

/** A record's own system message, and Alpaca's earlier turns, before the messages. */
function withSystemAndHistory(messages: Message[], record: JsonObject, used: Set<string>, alpaca: boolean): Read<Message[]> {
  const earlier: Message[] = [];
  for (const key of SYSTEM) {
    if (saysNothing(record[key])) continue;
    const system = readString({ value: record[key], name: key, column: key });
    if ('fault' in system) return system;
    if (earlier.length > 0 && earlier[0].content !== system.value) return fault(key, `and ${SYSTEM[0]} say different things`);
    used.add(key);
    if (messages[0]?.role === 'system') {
      if (messages[0].content !== system.value) return fault(key, 'and the system message in the row say different things');
    } else if (earlier.length === 0) earlier.push({ role: 'system', content: system.value });
  }
  if (!saysNothing(record.history)) {
    if (!alpaca)
      return fault(
        'history',
        'stands beside messages or a prompt, which are already the whole conversation',
        () => 'Put the earlier turns into the messages.',
      );
    used.add('history');
    const given = record.history;
    const pairs = typeof given === 'string' ? readLiteral(given) : given;
    if (!Array.isArray(pairs)) return fault('history', `is ${describe(given)} and not a list of pairs`);
    for (const [i, pair] of (pairs as unknown[]).entries()) {
      if (!Array.isArray(pair) || pair.length !== 2 || !pair.every((text) => typeof text === 'string'))
        return fault(`history[${i}]`, `is ${describe(pair)} and not a pair of two texts`);
      earlier.push({ role: 'user', content: pair[0] }, { role: 'assistant', content: pair[1] });
    }
  }
  return { value: [...earlier, ...messages] };
}

/** What the chat template gets beside the messages. */
function readContext(record: JsonObject, used: Set<string>): Read<ChatContext> {
  const context: { -readonly [K in keyof ChatContext]: ChatContext[K] } = {};
  for (const key of CONTEXT) {
    const given = record[key];
    if (saysNothing(given)) continue;
    const value = typeof given === 'string' ? readLiteral(given) : given;
    used.add(key);
    if (key === 'chat_template_kwargs') {
      if (!isObject(value)) return fault(key, `is ${describe(given)} and not an object`);
      context.options = value;
      continue;
    }
    if (!Array.isArray(value)) return fault(key, `is ${describe(given)} and not a list`);
    if (value.length === 0) continue;
    // OpenAI's older functions are the inside of tools.
    if (key === 'functions') context.tools ??= value.map((one: unknown) => ({ type: 'function', function: one }));
    else context[key as 'tools' | 'documents'] = value;
  }
  return { value: context };
}
