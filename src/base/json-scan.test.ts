import fc from 'fast-check';
import { expect, it } from 'vitest';
import { scanJson } from './json-scan';

it('finds duplicate keys at any depth, through escapes and white space', () => {
  expect(scanJson('{"a":1,"b":2}').duplicate).toBeNull();
  expect(scanJson('{"a":1,"a":2}').duplicate).toEqual({ key: 'a', under: null });
  expect(scanJson('{"a" : 1, "\\u0061"\n:2}').duplicate).toEqual({ key: 'a', under: null });
  expect(scanJson('{"t":{"dtype":1,"dtype":2}}').duplicate).toEqual({ key: 'dtype', under: 't' });
  expect(scanJson('{"a":{"x":1},"b":{"x":1}}').duplicate).toBeNull();
  expect(scanJson('{"a":["a","a",{"a":1}],"b":"a"}').duplicate).toBeNull();
  expect(scanJson('{"a":"\\"a\\":","b":"{\\\\"}').duplicate).toBeNull();
});

it('spans exactly the values, for any JSON in either spacing', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.constantFrom(0, 2, '\t'), (object, space) => {
      const text = JSON.stringify(object, null, space);
      const { entries, duplicate } = scanJson(text);
      expect(duplicate).toBeNull();
      const parsed = JSON.parse(text) as Record<string, unknown>;
      const found = entries.map(({ key, start, end }): [string, unknown] => [key, JSON.parse(text.slice(start, end))]);
      // Object.entries puts integer-like keys first; the order in the text does not matter here.
      expect(new Map(found)).toEqual(new Map(Object.entries(parsed)));
      for (const { start, end } of entries) expect(text.slice(start, end)).toBe(text.slice(start, end).trim());
    }),
    { numRuns: 500 },
  );
});
