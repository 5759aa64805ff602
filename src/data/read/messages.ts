// Messages as people's files write them: OpenAI's role and content, ShareGPT's from and value, content in parts, tool calls, weights.
// What has a meaning is read, or refused by name.

import { describe, fault, isObject, readString, saysNothing, type Field, type Read } from './faults';
import { readLiteral } from './literal';
import { ROLES, type JsonObject, type Message, type Role } from './types';

/** Other names of roles, in any case. */
const ROLE_NAMES: ReadonlyMap<string, Role> = new Map([
  ...ROLES.map((role) => [role, role] as const),
  ['human', 'user'],
  ['prompter', 'user'],
  ['gpt', 'assistant'],
  ['chatgpt', 'assistant'],
  ['bot', 'assistant'],
  ['bing', 'assistant'],
  ['model', 'assistant'],
  ['ai', 'assistant'],
  ['function_call', 'assistant'],
  ['tool_call', 'assistant'],
  ['observation', 'tool'],
  ['function', 'tool'],
  ['function_response', 'tool'],
  ['tool_response', 'tool'],
  ['tool_result', 'tool'],
  ['ipython', 'tool'],
]);
/** Roles whose content is a call. */
const CALLS = new Set(['function_call', 'tool_call']);

/** What an assistant says where it says nothing in its content. Under any other key the answer would be lost, and an empty one learned. */
const SAYS_WITHOUT_CONTENT = ['tool_calls', 'function_call', 'reasoning_content', 'thinking'];

/** Keys that say whether a message counts toward the loss. */
const LOSS_KEYS = ['weight', 'train', 'loss', 'trainable', 'training'];

/** Keys whose content is not text. */
export const NOT_TEXT = ['image', 'images', 'audio', 'audios', 'video', 'videos', 'image_url', 'input_audio'];

/** Parts of a content that are text. */
const TEXT_PARTS = new Set(['text', 'input_text', 'output_text']);

interface Named {
  readonly role: string;
  readonly content: string;
}
const OPENAI: Named = { role: 'role', content: 'content' };
const SHAREGPT: Named = { role: 'from', content: 'value' };

/** Whether an object looks like a message, whatever its role is called. */
export const looksLikeMessage = (value: unknown): boolean =>
  isObject(value) &&
  ['role', 'from'].some((key) => typeof value[key] === 'string') &&
  ['content', 'value', 'tool_calls'].some((key) => key in value);

/** The messages of a field: a list, or its JSON as a text. */
export function readMessages({ value: given, name, column }: Field): Read<Message[]> {
  const value = typeof given === 'string' ? readLiteral(given) : given;
  if (!Array.isArray(value)) return fault(name, `is ${describe(given)}${given === undefined ? '' : ' and not a list'}`);
  if (value.length === 0) return fault(name, 'is an empty list');
  const messages: Message[] = [];
  for (const [i, entry] of (value as unknown[]).entries()) {
    const message = readMessage(entry, `${column}[${i}]`);
    if ('fault' in message) return message;
    messages.push(message.value);
  }
  return { value: messages };
}

function readMessage(entry: unknown, at: string): Read<Message> {
  if (!isObject(entry)) return fault(at, `is ${describe(entry)} and not an object`);
  const names: Named = {
    role: Object.hasOwn(entry, OPENAI.role) || !Object.hasOwn(entry, SHAREGPT.role) ? OPENAI.role : SHAREGPT.role,
    content: Object.hasOwn(entry, OPENAI.content) || !Object.hasOwn(entry, SHAREGPT.content) ? OPENAI.content : SHAREGPT.content,
  };
  const said = entry[names.role];
  const role = typeof said === 'string' ? ROLE_NAMES.get(said.toLowerCase()) : undefined;
  if (role === undefined) return fault(`${at}.${names.role}`, `is ${describe(said)}; expected ${ROLES.join(', ')}`);
  const notText = NOT_TEXT.find((key) => !saysNothing(entry[key]));
  if (notText !== undefined) return fault(`${at}.${notText}`, 'is not text, and only text is read', () => TEXT_ONLY);

  const train = readLoss(entry, at);
  if ('fault' in train) return train;
  const more: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(entry)) {
    if (key !== names.role && key !== names.content && !LOSS_KEYS.includes(key) && !saysNothing(value)) more[key] = value;
  }
  // A weight on a message that carries no loss anyway asks for something that is not done; it is named with the keys not read.
  if (role !== 'assistant')
    for (const key of LOSS_KEYS) if (key in entry && !saysNothing(entry[key]) && train.value) more[key] = entry[key];

  const calls = CALLS.has(String(said).toLowerCase()) ? readCalls(entry[names.content], `${at}.${names.content}`) : olderCalls(more, at);
  if ('fault' in calls) return calls;
  if (calls.value) more.tool_calls = calls.value;
  const asCall = CALLS.has(String(said).toLowerCase());
  const content = asCall ? { value: null } : readContent(entry[names.content], `${at}.${names.content}`);
  if ('fault' in content) return content;
  if (content.value === null && !asCall && (role !== 'assistant' || !SAYS_WITHOUT_CONTENT.some((key) => key in more))) {
    const value = entry[names.content];
    return fault(`${at}.${names.content}`, `is ${describe(value)}${value === undefined ? '' : ' and not a string'}`);
  }
  return {
    value: {
      role,
      content: content.value ?? '',
      ...(content.value === null && { empty: true as const }),
      ...(role === 'assistant' && !train.value && { train: false as const }),
      ...(Object.keys(more).length > 0 && { more }),
    },
  };
}

const TEXT_ONLY = 'Take pictures and sound out of the file, or choose rows without them.';

/** A text, or its parts joined; null if there is none. */
function readContent(value: unknown, at: string): Read<string | null> {
  if (typeof value === 'string') return { value };
  if (value === null || value === undefined) return { value: null };
  const parts = Array.isArray(value) ? (value as unknown[]) : isObject(value) && typeof value.type === 'string' ? [value] : null;
  if (!parts) return fault(at, `is ${describe(value)} and not a string`);
  let text = '';
  for (const [i, part] of parts.entries()) {
    if (typeof part === 'string') {
      text += part;
      continue;
    }
    if (!isObject(part)) return fault(`${at}[${i}]`, `is ${describe(part)} and not a part with type and text`);
    const { type } = part;
    if (type !== undefined && !TEXT_PARTS.has(String(type)))
      return fault(`${at}[${i}]`, `is of type ${describe(type)}; only parts of type 'text' are read`, () => TEXT_ONLY);
    const read = readString({ value: part.text, name: `${at}[${i}].text`, column: at });
    if ('fault' in read) return read;
    text += read.value;
  }
  return { value: text };
}

/** Whether the message counts toward the loss. */
function readLoss(entry: JsonObject, at: string): Read<boolean> {
  let train = true;
  for (const key of LOSS_KEYS) {
    const value = entry[key];
    if (value === undefined || value === null) continue;
    if (value !== 0 && value !== 1 && typeof value !== 'boolean')
      return fault(`${at}.${key}`, `is ${describe(value)}; a message counts toward the loss (1) or not (0)`, () => 'Write 0 or 1.');
    train &&= Boolean(value);
  }
  return { value: train };
}

/** OpenAI's older function_call as a tool call; tool_calls as they are. */
function olderCalls(more: Record<string, unknown>, at: string): Read<readonly unknown[] | null> {
  const { tool_calls: given, function_call: older } = more;
  if (older !== undefined && given === undefined) {
    delete more.function_call;
    return readCalls(older, `${at}.function_call`);
  }
  if (given === undefined) return { value: null };
  const calls = typeof given === 'string' ? readLiteral(given) : given;
  return Array.isArray(calls) && calls.every(isObject)
    ? { value: calls }
    : fault(`${at}.tool_calls`, `is ${describe(given)} and not a list of calls`);
}

/** A call or several, as an object or as its JSON: {"name", "arguments"}. */
function readCalls(given: unknown, at: string): Read<readonly unknown[]> {
  const value = typeof given === 'string' ? readLiteral(given) : given;
  const calls = Array.isArray(value) ? (value as unknown[]) : [value];
  const read: unknown[] = [];
  for (const call of calls) {
    if (!isObject(call)) return fault(at, `is ${describe(given)} and not a call with name and arguments`);
    if (isObject(call.function)) read.push(call);
    else if (typeof call.name !== 'string') return fault(at, 'has no name of a function');
    else read.push({ type: 'function', function: { name: call.name, arguments: call.arguments ?? call.parameters ?? {} } });
  }
  return { value: read };
}
