import { expect, it } from 'vitest';
import { parsePreferences } from './preferences';

it('takes known switches from the storage and nothing else', () => {
  const defaults = { keys: true, wakeLock: true, notify: false, gentle: false, batteryPause: true, lowPower: false };
  expect(parsePreferences(null)).toEqual(defaults);
  expect(parsePreferences('{')).toEqual(defaults);
  expect(parsePreferences('"keys"')).toEqual(defaults);
  expect(parsePreferences('{"keys":false,"notify":"yes","other":true,"__proto__":{"wakeLock":false}}')).toEqual({
    ...defaults,
    keys: false,
  });
});
