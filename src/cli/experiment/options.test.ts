import { expect, test } from 'vitest';
import { parseOptions } from '../finetune/options';
import { parseExperimentOptions } from './options';
import { LEVERS, METHODS } from './variants';

test('without arguments every method with three seeds; others go to every run', () => {
  expect(parseExperimentOptions(['--weights', 'stored'])).toEqual({
    variants: METHODS,
    seeds: [1, 2, 3],
    rest: ['--weights', 'stored'],
  });
});

test('some methods and seeds', () => {
  expect(parseExperimentOptions(['--methods', 'lora,lisa', '--steps', '5', '--seeds', '7'])).toEqual({
    variants: [METHODS[2], METHODS[0]],
    seeds: [7],
    rest: ['--steps', '5'],
  });
});

test('LISA with one lever each; every variant is a run that finetune accepts', () => {
  expect(parseExperimentOptions(['--variants', 'published,rows']).variants.map(({ name }) => name)).toEqual(['published', 'rows']);
  expect(parseExperimentOptions(['--variants', 'all']).variants).toBe(LEVERS);
  const settings = LEVERS.map(({ args }) => JSON.stringify(parseOptions([...args]).config));
  expect(new Set(settings).size).toBe(LEVERS.length);
});

test.each([
  ['--methods'],
  ['--methods', 'lisa,adam'],
  ['--seeds', '1.5'],
  ['--variants', 'rows,all'],
  ['--seeds', ''],
  ['--seeds', '1,-2'],
])('%s %s is refused', (...args) => {
  expect(() => parseExperimentOptions(args.filter((arg) => arg !== undefined))).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID' }),
  );
});
