import { expect, test } from 'vitest';
import { parseExperimentOptions } from './options';

test('without arguments every method with three seeds; others go to every run', () => {
  expect(parseExperimentOptions(['--weights', 'stored'])).toEqual({
    methods: ['lisa', 'full', 'lora'],
    seeds: [1, 2, 3],
    rest: ['--weights', 'stored'],
  });
});

test('some methods and seeds', () => {
  expect(parseExperimentOptions(['--methods', 'lora,lisa', '--steps', '5', '--seeds', '7'])).toEqual({
    methods: ['lora', 'lisa'],
    seeds: [7],
    rest: ['--steps', '5'],
  });
});

test.each([['--methods'], ['--methods', 'lisa,adam'], ['--seeds', '1.5'], ['--seeds', ''], ['--seeds', '1,-2']])(
  '%s %s is refused',
  (...args) => {
    expect(() => parseExperimentOptions(args.filter((arg) => arg !== undefined))).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    );
  },
);
