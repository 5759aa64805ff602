// The end of a turn is found from what the template writes, whatever the files call their end token.

import { describe, expect, test } from 'vitest';
import { variant } from '../../testing/tokenizers';
import { chatOf } from './chat';
import { endingText } from './ending';
import { endingOf, eosTextMatters, turnEndOf } from './turn-end';

const CHATML =
  "{% for m in messages %}<|im_start|>{{ m.role + '\\n' + m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
const WITH_EOS = "{% for m in messages %}{{ m.content }}{% if m.role == 'assistant' %}{{ eos_token }}{% endif %}{% endfor %}";
const NO_END = '{% for m in messages %}### {{ m.role }}:\n{{ m.content }}\n{% endfor %}';
const ALTERNATING =
  "{% if messages[0].role != 'system' %}{{ raise_exception('system first') }}{% endif %}{% for m in messages %}<|im_start|>{{ m.content }} <|im_end|>{% endfor %}";
const base = (template: string | null, config = {}) => variant({ template, config: { eos_token: '<|endoftext|>', ...config }, eos: [0] });

describe('the token that ends a turn', () => {
  test.each([
    ['ChatML whose files call another token the end', CHATML, '<|im_end|>'],
    ['the end token of the files', WITH_EOS, '<|endoftext|>'],
    ['a template that wants a system message, and writes a space before the token', ALTERNATING, '<|im_end|>'],
    ['no template', null, '<|endoftext|>'],
  ])('%s', (_, template, text) => {
    const tokenizer = base(template);
    const ending = endingOf(tokenizer, 'turn');
    expect(ending.token).toEqual({ id: tokenizer.encode(text)[0], text });
    expect(ending.stopIds).toEqual([...new Set([tokenizer.encode(text)[0], 0])]);
    const system = template === ALTERNATING ? [{ role: 'system', content: 'be' } as const] : [];
    const [sample] = chatOf(tokenizer).encode(
      [...system, { role: 'user', content: 'hi' }, { role: 'assistant', content: 'hello' }],
      'assistant',
    );
    expect(sample.target[[...sample.ids].lastIndexOf(ending.token!.id)]).toBe(1);
  });

  test('is trained even if the tokenizer does not call it special', () => {
    const plain = [0, 1, 2].map((id) => ({
      id,
      content: ['<|endoftext|>', '<|im_start|>', '<|im_end|>'][id],
      special: false,
      normalized: false,
      lstrip: false,
      rstrip: false,
      single_word: false,
    }));
    const tokenizer = variant({ template: CHATML, json: { added_tokens: plain }, config: { eos_token: '<|endoftext|>' }, eos: [0] });
    expect(turnEndOf(tokenizer)).toEqual({ id: 2, text: '<|im_end|>' });
    const [{ ids, target }] = chatOf(tokenizer).encode(
      [
        { role: 'user', content: 'hi' },
        { role: 'assistant', content: 'hello' },
      ],
      'assistant',
    );
    expect(target[[...ids].lastIndexOf(2)]).toBe(1);
  });

  test('a template without one is told, with what will happen', () => {
    const ending = endingOf(base(NO_END), 'turn');
    expect(ending.token).toBeNull();
    expect(endingText(ending)).toContain('will not learn to stop');
    expect(ending.stopIds).toEqual([0]);
  });

  test('texts end with the end token of the files, windows of one text with nothing', () => {
    expect(endingText(endingOf(base(CHATML), 'text'))).toBe('texts end with <|endoftext|>');
    expect(endingText(endingOf(base(CHATML), 'nothing'))).toBeNull();
  });
});

test('eos_token may get another name unless the template writes it', () => {
  expect(eosTextMatters(base(CHATML), '<|im_end|>')).toBe(false);
  expect(eosTextMatters(base(`${CHATML}{% if not add_generation_prompt %}{{ eos_token }}{% endif %}`), '<|im_end|>')).toBe(true);
});
