// Turns a conversation into text: by the model's own chat template (Jinja) or, for models without one, in a plain form.
// Rendering depends only on the messages, so that a resumed run reads the same tokens as the interrupted one.

import { bounded } from '../../base/bounded';
import { AppError } from '../../base/errors';
import { Template } from '../jinja/template';
import type { Tokenizer } from './tokenizer';
import type { ChatContext, JsonObject, Message, Role } from '../read/types';

/**
 * Text of the messages; with `prompt`, ended so that the assistant's words come next. May throw plain errors:
 * templates refuse conversations (two user turns in a row, a system message) that way.
 */
export type Render = (messages: readonly Message[], prompt: boolean, context?: ChatContext) => string;

export interface Renderer {
  readonly render: Render;
  /** Whether the template looks at a variable, key or text of this name. */
  readonly reads: (name: string) => boolean;
}

export const renderer = (tokenizer: RenderedWith): Render => rendererOf(tokenizer).render;

/** What rendering needs to know of a tokenizer. */
type RenderedWith = Pick<Tokenizer, 'chatTemplate' | 'specialTexts'> & Partial<Tokenizer>;

export function rendererOf(tokenizer: RenderedWith): Renderer {
  return tokenizer.chatTemplate === null
    ? { render: plainRender(tokenizer as Tokenizer), reads: () => false }
    : templateRender(tokenizer, tokenizer.chatTemplate);
}

/** The date that templates get. Today's date would change the tokens overnight, so this is Llama's own default. */
const TODAY = new Date(Date.UTC(2024, 6, 26));

/** The names that Hugging Face's apply_chat_template provides to a template. */
function templateRender({ specialTexts }: RenderedWith, source: string): Renderer {
  let template: Template;
  try {
    template = bounded(() => new Template(source), source.length, neverEnds);
  } catch (error) {
    if (error instanceof AppError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new AppError(
      'TOKENIZER',
      `The model's chat template cannot be read (${reason}).`,
      'Use the tokenizer files that came with the model.',
      { cause: error },
    );
  }
  const reads = (name: string): boolean => template.mentions.has(name);
  const asked = reads('none') || reads('None') || reads('string');
  const written = (messages: readonly Message[], prompt: boolean, context: ChatContext, parsed: boolean, nulls: boolean): string =>
    template.render(
      {
        ...context.options,
        tools: context.tools ?? null,
        documents: context.documents ?? null,
        ...specialTexts,
        messages: messages.map((message) => asTemplatesHaveIt(message, reads, parsed, nulls)),
        add_generation_prompt: prompt,
      },
      TODAY,
    );
  const run = (messages: readonly Message[], prompt: boolean, context: ChatContext, parsed: boolean): string => {
    if (!asked || messages.every(({ empty }) => !empty)) return written(messages, prompt, context, parsed, false);
    try {
      return written(messages, prompt, context, parsed, true);
    } catch {
      // It asks in some places and not in others.
      return written(messages, prompt, context, parsed, false);
    }
  };
  let parses: boolean | null = null;
  return {
    reads,
    render: (messages, prompt, context = {}) =>
      bounded(
        () => {
          if (messages.some(({ more }) => more?.tool_calls !== undefined)) parses ??= quotesArguments(run);
          return run(messages, prompt, context, parses ?? false);
        },
        charactersOf(messages),
        neverEnds,
      ),
  };
}

export const charactersOf = (messages: readonly Message[]): number => messages.reduce((sum, { content }) => sum + content.length + 20, 0);

export const neverEnds = (): AppError =>
  new AppError(
    'TOKENIZER',
    "The model's chat template does not come to an end in the time that a conversation of this length may take.",
    'Use the chat template that came with the model, or another model.',
  );

const CALL: Message = {
  role: 'assistant',
  content: '',
  more: { tool_calls: [{ id: 'call00000', type: 'function', function: { name: 'f', arguments: '{"k": "v"}' } }] },
};

/**
 * OpenAI writes the arguments of a call as JSON in a text; most templates want the object, and would put quotes around the text.
 * A template that takes both gets the text as it is.
 */
function quotesArguments(run: (messages: readonly Message[], prompt: boolean, context: ChatContext, parsed: boolean) => string): boolean {
  try {
    return run([{ role: 'user', content: 'Hi' }, CALL], false, {}, false).includes('\\"k\\"');
  } catch {
    return true;
  }
}

/** A message with the keys that templates know. */
function asTemplatesHaveIt(
  { role, content, empty, more = {} }: Message,
  reads: (name: string) => boolean,
  parsed: boolean,
  nulls: boolean,
): JsonObject {
  const { reasoning_content, thinking, ...others } = more;
  const thought = reasoning_content ?? thinking;
  const calls = more.tool_calls;
  return {
    // A developer's message is the system's, unless the template knows the difference.
    role: role === 'developer' && !reads('developer') ? 'system' : role,
    // Where a template does not ask whether there is a content, nothing is better than the word None.
    content: empty && nulls ? null : content,
    ...others,
    ...(thought !== undefined && { [reads('thinking') && !reads('reasoning_content') ? 'thinking' : 'reasoning_content']: thought }),
    ...(Array.isArray(calls) && { tool_calls: parsed ? calls.map(withObject) : calls }),
  };
}

function withObject(call: unknown): unknown {
  if (typeof call !== 'object' || call === null) return call;
  const { function: inner, ...rest } = call as { readonly function?: { readonly arguments?: unknown } };
  const text = inner?.arguments;
  if (typeof text !== 'string') return call;
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'object' && value !== null ? { ...rest, function: { ...inner, arguments: value } } : call;
  } catch {
    return call;
  }
}

const LABELS: Readonly<Record<Role, string>> = {
  system: 'System',
  developer: 'System',
  user: 'User',
  assistant: 'Assistant',
  tool: 'Tool',
};

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
