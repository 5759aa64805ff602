import { expect, test } from 'vitest';
import { configOf, METHOD_LR } from '../../config/run-config';
import { withMethod } from './with-method';

test('what followed the method follows the new one; what a person set stays', () => {
  const config = configOf({ steps: 30, seed: 4, data: 'pirate' });
  expect(withMethod(config, 'lora')).toEqual(configOf({ steps: 30, seed: 4, data: 'pirate', method: 'lora' }));
  expect(withMethod(config, 'full').lr).toBe(METHOD_LR.full);
  expect(withMethod({ ...config, lr: 0.007 }, 'lora').lr).toBe(0.007);
});
