// Turns a conversation into text: by the model's own chat template (Jinja) or, for models without one, in a plain form.
// Rendering depends only on the messages, so that a resumed run reads the same tokens as the interrupted one.

import { bounded } from '../../base/bounded';
import { AppError } from '../../base/errors';
import { Template } from '../jinja/template';
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

/** The names that Hugging Face's apply_chat_template provides to a template. */
function templateRender(tokenizer: Tokenizer, source: string): Render {
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
  const render: Render = (messages, prompt) =>
    template.render(
      {
        tools: null,
        documents: null,
        ...tokenizer.specialTexts,
        messages: messages.map(({ role, content }) => ({ role, content })),
        add_generation_prompt: prompt,
      },
      TODAY,
    );
  return (messages, prompt) => bounded(() => render(messages, prompt), charactersOf(messages), neverEnds);
}

export const charactersOf = (messages: readonly Message[]): number => messages.reduce((sum, { content }) => sum + content.length + 20, 0);

export const neverEnds = (): AppError =>
  new AppError(
    'TOKENIZER',
    "The model's chat template does not come to an end in the time that a conversation of this length may take.",
    'Use the chat template that came with the model, or another model.',
  );

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
