import { expect, test } from 'vitest';
import { oneLine, printable } from './terminal';

test('control characters and marks of direction become text; everything else stays', () => {
  expect(printable('a\x1b]0;title\x07b\x9b31m\r\x7f\u202etxt.exe\u2066')).toBe(
    'a\\u001b]0;title\\u0007b\\u009b31m\\u000d\\u007f\\u202etxt.exe\\u2066',
  );
  const plain = 'Grüße,\n\t„日本語“ 🙂 e\u0301 \u200d ✓\n';
  expect(printable(plain)).toBe(plain);
});

test('a line of JSON is still the same JSON', () => {
  const value = { text: Array.from({ length: 0x2100 }, (_, code) => String.fromCharCode(code)).join('') };
  const line = printable(JSON.stringify(value));
  expect(JSON.parse(line)).toEqual(value);
  // eslint-disable-next-line no-control-regex -- none is left
  expect(line).not.toMatch(/[\0-\x1f\x7f-\x9f\u2028-\u202e]/);
});

test('a name is one line', () => {
  expect(oneLine('my\r\nmodel\tname')).toBe('my model name');
});
