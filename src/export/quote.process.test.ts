// Every program that reads the quoted text must read the text that was quoted: here a JSON parser (YAML 1.2 contains JSON) and a shell.

import { spawnSync } from 'node:child_process';
import { assert, constantFrom, oneof, property, string } from 'fast-check';
import { expect, test } from 'vitest';
import { markdownCode, shellWord, yamlString } from './quote';

const hostile = string({
  unit: oneof(
    constantFrom(
      "'",
      '"',
      '`',
      '\\',
      '$',
      '{',
      '}',
      '\n',
      '\r',
      '\t',
      '\0',
      ':',
      '#',
      '-',
      ' ',
      '&',
      '*',
      '!',
      '|',
      '<',
      '>',
      '%',
      '\u2028',
    ),
    string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  ),
  maxLength: 20,
});

/** What may be lost on the way: controls and halves of surrogate pairs. */
// eslint-disable-next-line no-control-regex
const LOST = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]|\p{Surrogate}/gu;
const plain = (text: string): string => text.replace(LOST, '\ufffd');

test('a YAML scalar is one line and a JSON string of the same text', () => {
  assert(
    property(hostile, (text) => {
      const quoted = yamlString(text);
      expect(/[\n\r\u0085\u2028\u2029]/.test(quoted)).toBe(false);
      expect(JSON.parse(quoted)).toBe(plain(text));
    }),
    { numRuns: 500 },
  );
});

test('a shell takes it as one word and runs nothing of it', () => {
  const texts = ["a'b", '$(touch x)', '`id`', '"; rm -rf .', '-n', '', '\\', "''", 'a\nb', '!!', 'ünï\u{1f600}', '*'];
  const { stdout } = spawnSync('sh', ['-c', `printf '%s\\n' ${texts.map(shellWord).join(' ')}`], { encoding: 'utf8' });
  expect(stdout).toBe(`${texts.map(plain).join('\n')}\n`);
});

test('a code span of Markdown cannot be left', () => {
  expect(markdownCode('plain')).toBe('`plain`');
  expect(markdownCode('a`b``c')).toBe('``` a`b``c ```');
  expect(markdownCode('`')).toBe('`` ` ``');
  expect(markdownCode(' <script>\n# x')).toBe('`  <script>\ufffd# x `');
  assert(
    property(hostile, (text) => {
      const quoted = markdownCode(text);
      const [fence] = /^`+/.exec(quoted)!;
      expect(quoted.endsWith(fence)).toBe(true);
      const inside = quoted.slice(fence.length, -fence.length);
      expect(Array.from(inside.matchAll(/`+/g), ([run]) => run.length)).not.toContain(fence.length);
      expect(/[\n\r]/.test(quoted)).toBe(false);
    }),
    { numRuns: 500 },
  );
});
