// Damaged tokenizer files: tokenizer.json, and a chat template.

import { describe, expect, it } from 'vitest';
import { chatOf } from '../../data/tokenize/chat';
import { variantFiles, VOCAB } from '../tokenizers';
import { loadTokenizer } from '../../data/tokenize/tokenizer';
import type { Message } from '../../data/read/types';
import { damagedJson, damagedText } from './mutate';
import { hostile, TIMEOUT_MS } from './run';

const LETTERS = ['Ġ', 'a', 'b', 'c', 'ab', 'Ġab', 'abc', 'Ã', '©', 'Ċ', 'x'];
const BYTE_LEVEL = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
const GPT2 = {
  added_tokens: [
    { id: 11, content: '<|end|>', special: true },
    { id: 12, content: '<t>', special: false, lstrip: true },
  ],
  normalizer: { type: 'NFC' },
  pre_tokenizer: {
    type: 'Sequence',
    pretokenizers: [
      { type: 'Split', pattern: { Regex: '\\p{N}|\\s+(?!\\S)' }, behavior: 'Isolated', invert: false },
      { type: 'Digits', individual_digits: true },
      BYTE_LEVEL,
    ],
  },
  post_processor: {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: '<|end|>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [],
    special_tokens: { '<|end|>': { id: '<|end|>', ids: [11], tokens: ['<|end|>'] } },
  },
  decoder: BYTE_LEVEL,
  model: {
    type: 'BPE',
    unk_token: 'x',
    vocab: Object.fromEntries(LETTERS.map((entry, id) => [entry, id])),
    merges: ['a b', 'Ġ ab', 'ab c'],
  },
};
const PIECES = ['▁', 'a', 'b', '▁a', '<unk>', '<0x0A>'];
const SENTENCE_PIECE = {
  added_tokens: [],
  normalizer: {
    type: 'Sequence',
    normalizers: [
      { type: 'Prepend', prepend: '▁' },
      { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
    ],
  },
  pre_tokenizer: null,
  post_processor: null,
  decoder: {
    type: 'Sequence',
    decoders: [{ type: 'Replace', pattern: { String: '▁' }, content: ' ' }, { type: 'ByteFallback' }, { type: 'Fuse' }],
  },
  model: {
    type: 'BPE',
    unk_token: '<unk>',
    byte_fallback: true,
    fuse_unk: true,
    vocab: Object.fromEntries(PIECES.map((entry, id) => [entry, id])),
    merges: [['▁', 'a']],
  },
};
const SIZE = 64;
const TEXTS = ['ab abc é\n<|end|> a1b <t>', '', '\u0000\ud800 '];

describe('damaged tokenizer files', () => {
  it(
    'tokenizer.json',
    () => {
      hostile(
        'tokenizer.json',
        damagedJson([GPT2, SENTENCE_PIECE]),
        (tokenizerJson) => {
          const tokenizer = loadTokenizer({ tokenizerJson }, SIZE);
          return {
            tokenizer,
            ids: TEXTS.map((text) => tokenizer.encode(text)),
            decoded: TEXTS.map((text) => tokenizer.decode(tokenizer.encode(text))),
          };
        },
        ({ tokenizer, ids, decoded }, text) => {
          const json = JSON.parse(text.replace(/^\ufeff/, '')) as typeof GPT2;
          for (const id of ids.flat()) expect(Number.isInteger(id) && id >= 0 && id < SIZE).toBe(true);
          for (const part of decoded) expect(typeof part).toBe('string');
          // No part is ignored: every Split that was accepted has a pattern, a known behaviour and a boolean switch.
          for (const part of [
            json.pre_tokenizer,
            ...((json.pre_tokenizer as Partial<typeof json.pre_tokenizer> | null)?.pretokenizers ?? []),
          ] as (Record<string, unknown> | null)[]) {
            if (part?.type !== 'Split') continue;
            const { Regex, String: text } = part.pattern as Record<string, unknown>;
            expect([typeof Regex, typeof text]).toContain('string');
            expect([/^isolated$/i.test(String(part.behavior)) && part.invert !== true, /^removed$/i.test(String(part.behavior))]).toContain(
              true,
            );
            expect([undefined, true, false]).toContain(part.invert);
          }
          // An id has the meaning that the file gives it: the entry, or an added token with that id.
          const { vocab } = json.model as { vocab: Record<string, number> | [string, number][] };
          const entries: [string, number][] = Array.isArray(vocab) ? vocab.map(([entry], id) => [entry, id]) : Object.entries(vocab);
          const meanings = new Map<number, Set<string>>();
          for (const [entry, id] of [...entries, ...(json.added_tokens ?? []).map(({ content, id }): [string, number] => [content, id])]) {
            meanings.set(id, (meanings.get(id) ?? new Set()).add(entry));
          }
          for (const id of ids.flat()) expect(meanings.get(id)?.has(tokenizer.tokenText(id)), `token ${id}`).toBe(true);
        },
      );
    },
    TIMEOUT_MS,
  );

  const TEMPLATES = [
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
    "{{ bos_token }}{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('no') }}{% endif %}{% set c = m['content'] | trim %}{{ c if loop.last else c.split('x')[-1] }}{% endfor %}",
  ];
  const turns: readonly Message[] = ['a', 'bx'].flatMap((q) => [
    { role: 'user', content: q },
    { role: 'assistant', content: `An answer to ${q}.` },
  ]);

  it(
    'a chat template',
    () => {
      const files = variantFiles({ template: null });
      const tokenizer = loadTokenizer(files, VOCAB);
      hostile(
        'chat template',
        damagedText(TEMPLATES),
        (chatTemplate) => chatOf({ ...tokenizer, chatTemplate }).encode(turns, 'assistant'),
        (samples) => {
          expect([1, 2]).toContain(samples.length);
          for (const { ids, target } of samples) {
            expect(target.length).toBe(ids.length);
            // The model learns something, unless the template wrote nothing at all; and no sample trains on the question.
            const learned = tokenizer.decode([...ids].filter((_, i) => target[i]));
            expect(learned).not.toContain('user\n');
          }
        },
      );
    },
    TIMEOUT_MS,
  );
});
