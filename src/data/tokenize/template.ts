// Turns a conversation into text: by the model's own chat template (Jinja) or, for models without one, in a plain form.
// Rendering depends only on the messages, so that a resumed run reads the same tokens as the interrupted one.

import { Environment, Interpreter, Template } from '@huggingface/jinja';
import { AppError } from '../../base/errors';
import type { Tokenizer } from './tokenizer';
import type { Message, Role } from '../read/types';

/**
 * Text of the messages; with `prompt`, ended so that the assistant's words come next. May throw plain errors:
 * templates refuse conversations (two user turns in a row, a system message) that way.
 */
export type Render = (messages: readonly Message[], prompt: boolean) => string;

export function renderer(tokenizer: Tokenizer): Render {
  return tokenizer.chatTemplate === null ? plainRender(tokenizer) : templateRender(tokenizer, tokenizer.chatTemplate);
}

/** The date that templates get. Today's date would change the tokens overnight, so this is Llama's own default. */
const TODAY = new Date(Date.UTC(2024, 6, 26));

function strftime(format: string): string {
  const part = (options: Intl.DateTimeFormatOptions): string => TODAY.toLocaleDateString('en-US', { ...options, timeZone: 'UTC' });
  const parts: Readonly<Record<string, string>> = {
    d: '26',
    m: '07',
    Y: '2024',
    y: '24',
    b: part({ month: 'short' }),
    B: part({ month: 'long' }),
    a: part({ weekday: 'short' }),
    A: part({ weekday: 'long' }),
    H: '00',
    M: '00',
    S: '00',
    '%': '%',
  };
  return format.replace(/%(.)/g, (whole, letter: string) => parts[letter] ?? whole);
}

/** Python's range, for templates that count. */
function range(first: number, second?: number, step = 1): number[] {
  const [start, stop] = second === undefined ? [0, first] : [first, second];
  const length = Math.max(0, Math.ceil((stop - start) / step));
  return Array.from({ length: Math.min(length, 1_000_000) }, (_, i) => start + i * step);
}

function raise(reason: unknown): never {
  throw new Error(String(reason));
}

/** The names that Hugging Face's apply_chat_template provides to a template. */
function templateRender(tokenizer: Tokenizer, source: string): Render {
  let template: Template;
  try {
    template = new Template(source);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AppError(
      'TOKENIZER',
      `The model's chat template cannot be read (${reason}).`,
      'Use the tokenizer files that came with the model.',
      { cause: error },
    );
  }
  const constants = { true: true, false: false, none: null, True: true, False: false, None: null };
  return (messages, prompt) => {
    const environment = new Environment();
    const names = {
      ...constants,
      range,
      raise_exception: raise,
      strftime_now: strftime,
      tools: null,
      documents: null,
      ...tokenizer.specialTexts,
      messages: messages.map(({ role, content }) => ({ role, content })),
      add_generation_prompt: prompt,
    };
    for (const [name, value] of Object.entries(names)) environment.set(name, value);
    return new Interpreter(environment).run(template.parsed).toString();
  };
}

const LABELS: Readonly<Record<Role, string>> = { system: 'System', user: 'User', assistant: 'Assistant', tool: 'Tool' };

/**
 * For models without a chat template, one line a message:
 *   User: question\nAssistant: answer<eos>\n
 * with the tokenizer's start token before it where a document begins with one, and no <eos> where it has none.
 */
function plainRender(tokenizer: Tokenizer): Render {
  const single = (id: number | null): string => {
    const text = id === null ? '' : tokenizer.tokenText(id);
    return text !== '' && tokenizer.encode(text).length === 1 ? text : '';
  };
  const start = tokenizer.addBos ? single(tokenizer.bosId) : '';
  const end = single(tokenizer.eosId);
  return (messages, prompt) => {
    const lines = messages.map(({ role, content }) => `${LABELS[role]}: ${content}${role === 'assistant' ? end : ''}\n`);
    return `${start}${lines.join('')}${prompt ? 'Assistant:' : ''}`;
  };
}
