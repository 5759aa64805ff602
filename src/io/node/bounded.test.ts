// Programs that come with a model end in a bounded time: a typed error, not a process that hangs.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { setBound } from '../../base/bounded';
import { AppError } from '../../base/errors';
import { chatOf } from '../../data/tokenize/chat';
import { builtinTokenizer, variant } from '../../testing/tokenizers';
import { boundStrangers } from './bounded';

beforeAll(boundStrangers);
afterAll(() => setBound((work) => work()));

const MESSAGES = [
  { role: 'user', content: `${'a'.repeat(40)}!` },
  { role: 'assistant', content: 'yes' },
] as const;

/** The error that a row's encoding ends with; the whole must end soon after the limit of three seconds. */
function refusal(make: () => unknown): unknown {
  const begun = performance.now();
  try {
    make();
  } catch (thrown) {
    expect(performance.now() - begun).toBeLessThan(15_000);
    return thrown;
  }
  throw new Error('It came to an end.');
}

test('a template that calls itself twice, sixty deep', () => {
  const macro = '{% macro f(n) %}{% if n > 0 %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}{{ messages[0].content }}';
  expect(refusal(() => chatOf(variant({ template: macro })).encode(MESSAGES, 'assistant'))).toBeInstanceOf(AppError);
}, 60_000);

test('a pattern that takes exponential time', () => {
  const pre_tokenizer = { type: 'Split', pattern: { Regex: '(a+)+$' }, behavior: 'Isolated', invert: false };
  const tokenizer = variant({ template: null, json: { pre_tokenizer } });
  expect(refusal(() => tokenizer.encode(MESSAGES[0].content))).toMatchObject({
    code: 'TOKENIZER',
    message: expect.stringMatching(/does not come to an end on 'aaaa/) as string,
  });
}, 60_000);

test('an added token that is empty', () => {
  const added_tokens = [{ id: 3, content: '', special: true }];
  expect(refusal(() => variant({ template: null, json: { added_tokens } }))).toMatchObject({ code: 'TOKENIZER' });
});

test('what ends in time is not changed by the limit, and errors pass as they are', () => {
  const chat = chatOf(builtinTokenizer());
  const [sample] = chat.encode(MESSAGES, 'assistant');
  setBound((work) => work());
  expect(chat.encode(MESSAGES, 'assistant')[0]).toEqual(sample);
  boundStrangers();
  expect(() => chatOf(variant({ template: '{{ raise_exception("no") }}' })).text(MESSAGES)).toThrow(/refuses the conversation: no/);
});
