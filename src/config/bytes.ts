// Amounts of memory as people write them: 1.5GB, 360 MB, 2GiB. Bytes.

import { good, refused, type Kind } from './field';
import { last } from './kinds';

const UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, kb: 1e3, mb: 1e6, gb: 1e9, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30 };

/** Bytes of '1.5GB'; NaN for anything else. */
export function parseBytes(text: string): number {
  const [, number = '', unit = ''] = /^\s*(\d+(?:\.\d+)?|\.\d+)\s*([a-z]*)\s*$/i.exec(text) ?? [];
  const factor = UNITS[unit.toLowerCase()];
  return number === '' || factor === undefined ? NaN : Math.round(Number(number) * factor);
}

/** An amount of memory above 0. */
export const bytes: Kind<number> = {
  type: 'own',
  placeholder: 'size',
  check: (value) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value > 0
      ? good(value)
      : { ok: false, expected: 'a number of bytes above 0' },
  parse: (texts) => {
    const value = parseBytes(last(texts));
    return Number.isSafeInteger(value) && value > 0
      ? good(value)
      : refused(`'${last(texts)}' is not an amount of memory.`, 'Give a number with a unit, such as 1.5GB, 800MB or 2GiB.');
  },
  toFlag: (value) => [String(value)],
  toLink: String,
  fromLink: parseBytes,
};
