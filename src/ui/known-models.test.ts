import { statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parameterCount, parameterTable } from '../model/parameters';
import { BUILTIN, BUILTIN_FACTS } from './known-models';

test('what the page says of the built-in model is so', () => {
  expect(BUILTIN_FACTS.parameters).toBe(parameterCount(parameterTable(BUILTIN.shape)));
  expect(BUILTIN_FACTS.bytes).toBe(statSync('public/models/wordsmith-2m/model.safetensors').size);
});
