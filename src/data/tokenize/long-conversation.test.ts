// Long conversations cost their length, and get the tokens and the mask that rendering every beginning of them would give.

import { expect, test } from 'vitest';
import { randomStream } from '../../base/random';
import { builtinTokenizer, variant } from '../../testing/tokenizers';
import type { Message } from '../read/types';
import { chatOf } from './chat';
import { longSpans } from './long-conversation';
import { trainingTexts } from './spans';
import { rendererOf } from './template';

const CHATML = `{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}`;
const LLAMA2 = `{% if messages[0].role == 'system' %}{% set sys = '<<SYS>>' + messages[0].content + '<</SYS>>' %}{% set rest = messages[1:] %}{% else %}{% set sys = '' %}{% set rest = messages %}{% endif %}{% for m in rest %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('alternate') }}{% endif %}{% if m.role == 'user' %}{{ '<s>[INST] ' + (sys if loop.index0 == 0 else '') + m.content.strip() + ' [/INST]' }}{% else %}{{ ' ' + m.content.strip() + ' </s>' }}{% endif %}{% endfor %}`;
/** Takes the thinking out of earlier turns, as Qwen3 does. */
const REWRITES = `{% for m in messages %}{% if m.role == 'assistant' and not loop.last %}{{ '<a>' + m.content.split('</think>')[-1] + '</s>' }}{% else %}{{ '<' + m.role + '>' + m.content + '</s>' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<assistant>' }}{% endif %}`;
const NUMBERS = `{% for m in messages %}{{ loop.index ~ m.role ~ ': ' ~ m.content ~ '</s>' }}{% endfor %}`;

const TEMPLATES = { builtin: builtinTokenizer().chatTemplate, plain: null, CHATML, LLAMA2, REWRITES, NUMBERS };

function conversation(seed: number, length: number, withSystem: boolean): Message[] {
  const draw = randomStream(seed, 'conversation');
  const words = ['yes', 'No.', 'a', '1', '', ' ', 'Hi!\n', '<think>x</think>ok', '</s>', '🙂', '\ud83d', 'User: a\n', 'ok'];
  const content = (): string => Array.from({ length: draw.nextBelow(4) }, () => words[draw.nextBelow(words.length)]).join('');
  return Array.from({ length }, (_, i) => ({
    role: withSystem && i === 0 ? 'system' : (i + (withSystem ? 1 : 0)) % 2 === 0 ? 'user' : 'assistant',
    content: content(),
  }));
}

test.each(Object.entries(TEMPLATES))('%s: what is found this way is what rendering every beginning finds', (name, template) => {
  const tokenizer = variant({ template });
  const { render } = rendererOf(tokenizer);
  const rules = { render, specialTokens: [...tokenizer.specialTokens, '<|im_end|>'], endTokens: ['</s>'] };
  let found = 0;
  for (let seed = 0; seed < 60; seed++) {
    const messages = conversation(seed, 6 + (seed % 20), seed % 3 === 0);
    const full = render(messages, false);
    const spans = longSpans(messages, full, rules);
    if (!spans) continue;
    found++;
    expect({ seed, texts: [{ text: full, spans }] }).toEqual({ seed, texts: trainingTexts(messages, full, rules) });
  }
  console.info(`${name}: ${found} of 60 found`);
  if (name === 'REWRITES' || name === 'NUMBERS') expect(found).toBeLessThan(60);
  else expect(found).toBe(60);
});

test('4,000 messages take time in proportion', () => {
  const messages = Array.from({ length: 4000 }, (_, i): Message => ({ role: i % 2 === 0 ? 'user' : 'assistant', content: `word ${i}` }));
  const chat = chatOf(builtinTokenizer());
  const begun = performance.now();
  const [sample] = chat.encode(messages, 'assistant');
  const ms = performance.now() - begun;
  console.info(`${sample.ids.length} tokens in ${ms.toFixed(0)} ms`);
  expect(sample.target.reduce((a, b) => a + b, 0)).toBeGreaterThan(4000);
  expect(ms).toBeLessThan(15_000);
});

test('a template that does not render a message by its neighbours is refused past a bound', () => {
  const chat = chatOf(variant({ template: NUMBERS }));
  expect(() => chat.encode(conversation(1, 600, false), 'assistant')).toThrow(expect.objectContaining({ code: 'DATASET_PARSE' }));
  expect(chat.encode(conversation(1, 80, false), 'assistant')).toHaveLength(1);
});
