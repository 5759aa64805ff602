import { expect, test } from 'vitest';
import { bytes, parseBytes } from './bytes';

test.each([
  ['1.5GB', 1.5e9],
  ['360 mb', 360e6],
  ['2GiB', 2 ** 31],
  ['.5gb', 5e8],
  ['1000', 1000],
])('%s', (text, value) => expect(parseBytes(text)).toBe(value));

test.each(['', 'GB', '-1GB', '1e9', '1.2.3GB', '5 pounds', '0GB', 'NaN'])("'%s' is refused", (text) => {
  expect(bytes.parse([text])).toMatchObject({ ok: false, remedy: expect.stringContaining('1.5GB') as string });
});
