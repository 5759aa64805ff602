// Conversations to ids and masks: against the reference script on every row of the built-in data, then on templates of
// the common families (written anew here; only their form is theirs), then without a template.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chatOf, type Chat, type Mask } from './chat';
import expected from '../../testing/fixtures/chat_render.json';
import { builtinTokenizer, ROOT, stories260k, variant, type Variant } from '../../testing/tokenizers';
import { parseData } from '../../testing/whole-data';
import type { Tokenizer } from './tokenizer';
import type { DataRow, Message, Sample } from '../read/types';

function fingerprint({ ids, target }: Sample): number {
  let value = 2166136261;
  ids.forEach((id, i) => {
    value = Math.imul(value ^ (id * 2 + target[i]), 16777619);
  });
  return value >>> 0;
}

const messagesOf = (row: DataRow): readonly Message[] => (row.kind === 'chat' ? row.messages : []);

/** The sample of a conversation that is not split. */
function encodeOne(chat: Chat, messages: readonly Message[], mask: Mask): Sample {
  const samples = chat.encode(messages, mask);
  expect(samples).toHaveLength(1);
  return samples[0];
}

/** Runs of target tokens, decoded. */
function targetTexts(tokenizer: Tokenizer, { ids, target }: Sample): string[] {
  const texts: string[] = [];
  for (let i = 0; i < ids.length; i++) {
    if (!target[i]) continue;
    const start = i;
    while (target[i]) i++;
    texts.push(tokenizer.decode([...ids.slice(start, i)]));
  }
  return texts;
}

describe('the built-in model and data', () => {
  const tokenizer = builtinTokenizer();
  const chat = chatOf(tokenizer);

  it.each(['devils-dictionary.jsonl', 'devils-dictionary.eval.jsonl'] as const)(
    'ids and targets of every row of %s equal the reference',
    (name) => {
      const { rows } = parseData({ name, text: readFileSync(join(ROOT, 'public/data', name), 'utf8') }, { badRows: 'refuse' });
      expect(rows).toHaveLength(name.includes('eval') ? 43 : 826);
      const samples = rows.map((row) => encodeOne(chat, messagesOf(row), 'assistant'));
      expect(samples.map((sample) => [sample.ids.length, sample.target.reduce((a, b) => a + b, 0), fingerprint(sample)])).toEqual(
        expected.rows[name],
      );
      expected.whole[name].forEach((whole, i) => expect({ ids: [...samples[i].ids], target: [...samples[i].target] }).toEqual(whole));
    },
  );

  it.each(expected.extra.map((entry, i) => [i, entry] as const))(
    'several turns, odd characters, special tokens in the words: case %i equals the reference',
    (_, entry) => {
      const sample = encodeOne(chat, entry.messages as Message[], 'assistant');
      expect([...sample.ids]).toEqual(entry.ids);
      expect([...sample.target]).toEqual(entry.target);
    },
  );

  it("mask 'all' takes the loss on every token but the first", () => {
    const { ids, target } = encodeOne(
      chat,
      [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: 'Ho' },
      ],
      'all',
    );
    expect([...target]).toEqual([0, ...new Array<number>(ids.length - 1).fill(1)]);
  });

  it('a prompt ends where the assistant begins', () => {
    const prompt = chat.promptIds([{ role: 'user', content: 'Define: LOVE' }]);
    expect(tokenizer.decode(prompt)).toBe('<|im_start|>user\nDefine: LOVE<|im_end|>\n<|im_start|>assistant\n');
    const whole = encodeOne(
      chat,
      [
        { role: 'user', content: 'Define: LOVE' },
        { role: 'assistant', content: 'A.' },
      ],
      'assistant',
    );
    expect([...whole.ids.slice(0, prompt.length)]).toEqual(prompt);
    expect(whole.target.indexOf(1)).toBe(prompt.length);
  });

  it('a token that straddles an edge counts where its last byte lies', () => {
    // The header ends in a space that the first word's token takes in; the end is inside the token of 'ed'.
    const template =
      "{% for m in messages %}{{ m.role + ': ' + m.content + (' ' if loop.last else '. ') }}{% endfor %}{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}";
    const other = variant({ template });
    const sample = encodeOne(
      chatOf(other),
      [
        { role: 'user', content: 'a' },
        { role: 'assistant', content: 'a word' },
        { role: 'user', content: 'b' },
      ],
      'assistant',
    );
    expect(targetTexts(other, sample)).toEqual([' a word']);
    expect(other.decode([...sample.ids])).toBe('user: a. assistant: a word. user: b ');
  });
});

const TURNS: readonly Message[] = [
  { role: 'user', content: 'Define: LOVE' },
  { role: 'assistant', content: 'A temporary insanity.' },
  { role: 'user', content: 'Really? LOVE' },
  { role: 'assistant', content: 's' },
];

interface Family extends Variant {
  readonly name: string;
  readonly text: string;
  readonly targets: readonly string[];
}

const FAMILIES: readonly Family[] = [
  {
    name: 'SmolLM2 and Qwen 2.5 (ChatML with a system turn where none is given)',
    template:
      "{% if messages[0].role != 'system' %}{{ '<|im_start|>system\\nBe helpful.<|im_end|>\\n' }}{% endif %}{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>' + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
    text: '<|im_start|>system\nBe helpful.<|im_end|>\n<|im_start|>user\nDefine: LOVE<|im_end|>\n<|im_start|>assistant\nA temporary insanity.<|im_end|>\n<|im_start|>user\nReally? LOVE<|im_end|>\n<|im_start|>assistant\ns<|im_end|>\n',
    targets: ['A temporary insanity.<|im_end|>', 's<|im_end|>'],
  },
  {
    name: 'Mistral: one start token, no space before the answer, its end token',
    specials: ['<s>', '<unk>', '</s>'],
    config: { add_bos_token: true },
    template:
      "{{ bos_token }}{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}{% if m.role == 'user' %}{{ '[INST] ' + m.content + ' [/INST]' }}{% else %}{{ ' ' + m.content + eos_token }}{% endif %}{% endfor %}",
    text: '<s>[INST] Define: LOVE [/INST] A temporary insanity.</s>[INST] Really? LOVE [/INST] s</s>',
    targets: [' A temporary insanity.</s>', ' s</s>'],
  },
  {
    name: 'Llama 2: start and end token around each pair, spaces, no line breaks',
    specials: ['<s>', '<unk>', '</s>'],
    template:
      "{% for m in messages %}{% if m.role == 'user' %}{{ bos_token + '[INST] ' + m.content.strip() + ' [/INST]' }}{% elif m.role == 'assistant' %}{{ ' ' + m.content + ' ' + eos_token }}{% endif %}{% endfor %}",
    text: '<s>[INST] Define: LOVE [/INST] A temporary insanity. </s><s>[INST] Really? LOVE [/INST] s </s>',
    targets: [' A temporary insanity. </s>', ' s </s>'],
  },
  {
    name: 'Llama 3: trimmed contents, one start token, a date',
    specials: ['<|begin|>', '<|head|>', '<|eot|>'],
    template:
      "{{ bos_token }}{{ '<|head|>system\\n\\nToday: ' + strftime_now('%d %b %Y') + '<|eot|>' }}{% for m in messages %}{{ '<|head|>' + m.role + '\\n\\n' + m.content | trim + '<|eot|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|head|>assistant\\n\\n' }}{% endif %}",
    text: '<|begin|><|head|>system\n\nToday: 26 Jul 2024<|eot|><|head|>user\n\nDefine: LOVE<|eot|><|head|>assistant\n\nA temporary insanity.<|eot|><|head|>user\n\nReally? LOVE<|eot|><|head|>assistant\n\ns<|eot|>',
    targets: ['A temporary insanity.<|eot|>', 's<|eot|>'],
  },
  {
    name: 'Gemma: another name for the role, an end-of-turn token that is not the end token',
    specials: ['<bos>', '<start>', '<end_of_turn>'],
    config: { eos_token: '<bos>' },
    eos: [0],
    template:
      "{{ bos_token }}{% if messages[0].role == 'system' %}{{ raise_exception('no system turn') }}{% endif %}{% for m in messages %}{% set role = 'model' if m.role == 'assistant' else m.role %}{{ '<start>' + role + '\\n' + (m.content | trim) + '<end_of_turn>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<start>model\\n' }}{% endif %}",
    text: '<bos><start>user\nDefine: LOVE<end_of_turn>\n<start>model\nA temporary insanity.<end_of_turn>\n<start>user\nReally? LOVE<end_of_turn>\n<start>model\ns<end_of_turn>\n',
    targets: ['A temporary insanity.<end_of_turn>', 's<end_of_turn>'],
  },
  {
    name: 'Phi 3: an end token after the whole conversation',
    specials: ['<|endoftext|>', '<|user|>', '<|end|>'],
    template:
      "{% for m in messages %}{{ '<|' + m.role + '|>\\n' + m.content + '<|end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% else %}{{ '<|endoftext|>' }}{% endif %}",
    text: '<|user|>\nDefine: LOVE<|end|>\n<|assistant|>\nA temporary insanity.<|end|>\n<|user|>\nReally? LOVE<|end|>\n<|assistant|>\ns<|end|>\n<|endoftext|>',
    targets: ['A temporary insanity.<|end|>', 's<|end|>'],
  },
  {
    name: 'words without any end-of-turn token',
    template:
      "{% for m in messages %}{{ m.role + ': ' + m.content + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ 'assistant:' }}{% endif %}",
    text: 'user: Define: LOVE\nassistant: A temporary insanity.\nuser: Really? LOVE\nassistant: s\n',
    targets: [' A temporary insanity.', ' s'],
  },
  {
    name: 'DeepSeek R1: a prompt that opens a thinking part, which finished turns do not have',
    template:
      "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n<think>' }}{% endif %}",
    text: '<|im_start|>user\nDefine: LOVE<|im_end|>\n<|im_start|>assistant\nA temporary insanity.<|im_end|>\n<|im_start|>user\nReally? LOVE<|im_end|>\n<|im_start|>assistant\ns<|im_end|>\n',
    targets: ['A temporary insanity.<|im_end|>', 's<|im_end|>'],
  },
];

describe('templates that rewrite earlier turns', () => {
  /** Qwen 3's form: thinking is taken out of all answers but those after the last question. */
  const QWEN3 =
    "{% set ns = namespace(last=0) %}{% for m in messages %}{% if m.role == 'user' %}{% set ns.last = loop.index0 %}{% endif %}{% endfor %}{% for m in messages %}{% if m.role == 'assistant' %}{% set think = '' %}{% set words = m.content %}{% if '</think>' in words %}{% set think = words.split('</think>')[0].split('<think>')[-1].strip('\\n') %}{% set words = words.split('</think>')[-1].lstrip('\\n') %}{% endif %}{% if loop.index0 > ns.last and (loop.last or think) %}{{ '<|im_start|>assistant\\n<think>\\n' + think + '\\n</think>\\n\\n' + words + '<|im_end|>\\n' }}{% else %}{{ '<|im_start|>assistant\\n' + words + '<|im_end|>\\n' }}{% endif %}{% else %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
  const turns: Message[] = [
    { role: 'user', content: 'Define: LOVE' },
    { role: 'assistant', content: '<think>\nShort.\n</think>\n\nA temporary insanity.' },
    { role: 'user', content: 'Really?' },
    { role: 'assistant', content: 'Yes.' },
  ];

  it('Qwen 3: one sample an answer, with the thinking that the model saw, and the loss on that answer alone', () => {
    const tokenizer = variant({ template: QWEN3 });
    const chat = chatOf(tokenizer);
    const samples = chat.encode(turns, 'assistant');
    const first = '<|im_start|>user\nDefine: LOVE<|im_end|>\n<|im_start|>assistant\n';
    const second = `${first}A temporary insanity.<|im_end|>\n<|im_start|>user\nReally?<|im_end|>\n<|im_start|>assistant\n`;
    const answers = ['<think>\nShort.\n</think>\n\nA temporary insanity.<|im_end|>', '<think>\n\n</think>\n\nYes.<|im_end|>'];
    expect(samples.map(({ ids }) => tokenizer.decode([...ids]))).toEqual([`${first}${answers[0]}\n`, `${second}${answers[1]}\n`]);
    expect(samples.map((sample) => targetTexts(tokenizer, sample))).toEqual([[answers[0]], [answers[1]]]);
    // What is sampled from begins as what was trained on.
    expect(tokenizer.decode(chat.promptIds(turns.slice(0, 3)))).toBe(second);
    // One answer is one sample, and with the loss on everything the conversation is read once.
    expect(chat.encode(turns.slice(0, 2), 'assistant')).toHaveLength(1);
    expect(tokenizer.decode([...encodeOne(chat, turns, 'all').ids])).toBe(chat.text(turns));
  });

  it('an earlier turn that loses its header is seen too', () => {
    const template =
      "{% for m in messages %}{% if loop.last %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% else %}{{ '- ' + m.content + '<|im_end|>\\n' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
    const tokenizer = variant({ template });
    const samples = chatOf(tokenizer).encode(TURNS, 'assistant');
    expect(samples.map(({ ids }) => tokenizer.decode([...ids]))).toEqual([
      '- Define: LOVE<|im_end|>\n<|im_start|>assistant\nA temporary insanity.<|im_end|>\n',
      '- Define: LOVE<|im_end|>\n- A temporary insanity.<|im_end|>\n- Really? LOVE<|im_end|>\n<|im_start|>assistant\ns<|im_end|>\n',
    ]);
    expect(samples.map((sample) => targetTexts(tokenizer, sample))).toEqual([['A temporary insanity.<|im_end|>'], ['s<|im_end|>']]);
  });

  it('one that cannot be rendered up to every answer is looked up in the whole', () => {
    const template =
      "{% if messages | length in [1, 2, 3] %}{{ raise_exception('too short') }}{% endif %}{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endfor %}";
    const tokenizer = variant({ template });
    expect(targetTexts(tokenizer, encodeOne(chatOf(tokenizer), TURNS, 'assistant'))).toEqual([
      'A temporary insanity.<|im_end|>',
      's<|im_end|>',
    ]);
  });
});

describe('templates of other models', () => {
  it.each(FAMILIES.map((family) => [family.name, family] as const))('%s', (_, family) => {
    const tokenizer = variant(family);
    const chat = chatOf(tokenizer);
    expect(chat.text(TURNS)).toBe(family.text);
    const sample = encodeOne(chat, TURNS, 'assistant');
    // One tokenisation of the whole text, nothing added: no second start token.
    expect([...sample.ids]).toEqual(tokenizer.encode(family.text));
    expect(targetTexts(tokenizer, sample)).toEqual(family.targets);
  });

  it("a template that rewrites the words is followed to the turn's end", () => {
    const template =
      "{% for m in messages %}{% set c = m.content.split('</think>')[-1].lstrip('\\n') if m.role == 'assistant' else m.content %}{{ '<|im_start|>' + m.role + '\\n' + c + '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
    const tokenizer = variant({ template });
    const sample = encodeOne(
      chatOf(tokenizer),
      [
        { role: 'user', content: 'q' },
        { role: 'assistant', content: '<think>x</think>\n\nanswer' },
      ],
      'assistant',
    );
    expect(targetTexts(tokenizer, sample)).toEqual(['answer<|im_end|>']);
  });

  it('a template that hides the words is an error of the row, and mask all still works', () => {
    const tokenizer = variant({ template: '{% for m in messages %}{{ m.content | upper }}{% endfor %}{{ add_generation_prompt }}' });
    const turns: Message[] = [
      { role: 'user', content: 'q' },
      { role: 'assistant', content: 'abc' },
    ];
    expect(() => encodeOne(chatOf(tokenizer), turns, 'assistant')).toThrow(/changes the assistant's words/);
    expect(encodeOne(chatOf(tokenizer), turns, 'all').ids.length).toBeGreaterThan(0);
  });

  it('a refusal by the template gives its words', () => {
    const tokenizer = variant(FAMILIES.find(({ name }) => name.startsWith('Gemma'))!);
    expect(() => encodeOne(chatOf(tokenizer), [{ role: 'system', content: 'x' }], 'all')).toThrow(
      /refuses the conversation: no system turn/,
    );
  });

  it('a template that is no Jinja is an error of the model', () => {
    expect(() => chatOf(variant({ template: '{% for %}' }))).toThrow(/chat template cannot be read/);
  });

  it('a tokenizer that normalises the text is masked by prefixes, with the same result', () => {
    // NFC makes one character of e and its accent: the tokens no longer spell the text.
    const tokenizer = variant({ template: builtinTokenizer().chatTemplate, json: { normalizer: { type: 'NFC' } } });
    const turns = (accent: string): Message[] => [
      { role: 'user', content: `caf${accent} one` },
      { role: 'assistant', content: `Un caf${accent}.` },
      { role: 'user', content: 'x' },
      { role: 'assistant', content: `${accent}t${accent}` },
    ];
    const split = encodeOne(chatOf(tokenizer), turns('e\u0301'), 'assistant');
    const composed = encodeOne(chatOf(tokenizer), turns('\u00e9'), 'assistant');
    expect(tokenizer.tokenEnds('e\u0301', tokenizer.encode('e\u0301'))).toBeNull();
    expect([...split.ids]).toEqual([...composed.ids]);
    expect([...split.target]).toEqual([...composed.target]);
    expect(targetTexts(tokenizer, split)).toEqual(['Un caf\u00e9.<|im_end|>', '\u00e9t\u00e9<|im_end|>']);
  });
});

describe('models without a template', () => {
  it('get one line a turn, ended by the end token', () => {
    const tokenizer = variant({ template: null });
    const chat = chatOf(tokenizer);
    expect(chat.ownTemplate).toBe(false);
    expect(chat.text([{ role: 'system', content: 'Be brief.' }, ...TURNS.slice(0, 2)])).toBe(
      'System: Be brief.\nUser: Define: LOVE\nAssistant: A temporary insanity.<|im_end|>\n',
    );
    expect(targetTexts(tokenizer, encodeOne(chat, TURNS, 'assistant'))).toEqual([' A temporary insanity.<|im_end|>', ' s<|im_end|>']);
    expect(tokenizer.decode(chat.promptIds(TURNS.slice(0, 1)))).toBe('User: Define: LOVE\nAssistant:');
  });

  it('begin with the start token where the tokenizer wants it, once', () => {
    const chat = chatOf(variant({ template: null, config: { add_bos_token: true } }));
    expect(encodeOne(chat, TURNS, 'all').ids.filter((id) => id === 0)).toHaveLength(1);
    expect(chat.promptIds(TURNS.slice(0, 1))[0]).toBe(0);
  });

  it('work with a SentencePiece tokenizer', (context) => {
    const tokenizer = stories260k();
    if (!tokenizer) return context.skip('shared/real/stories260k is not here');
    const sample = encodeOne(chatOf(tokenizer), TURNS, 'assistant');
    expect(sample.ids[0]).toBe(1);
    expect(targetTexts(tokenizer, sample)).toEqual(['A temporary insanity.</s>', 's</s>']);
    expect(sample.ids.filter((id) => id === 2)).toHaveLength(2);
  });
});
