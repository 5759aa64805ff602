import { expect, test } from 'vitest';
import type { Sample } from '../../train/events';
import { samplesByPrompt } from './samples';

const sample = (when: Sample['when'], prompt: string, text: string): Sample => ({ when, step: when === 'before' ? 0 : 9, prompt, text });

test('lists every prompt with the sample before training, once, and those after it by method and seed', () => {
  const run = (a: string, b: string): Sample[] => [
    sample('before', 'A', 'old a\n'),
    sample('before', 'B', 'old b'),
    sample('during', 'A', 'between'),
    sample('after', 'A', a),
    sample('after', 'B', b),
  ];
  const runs = new Map([
    ['lisa' as const, [run('a1', 'b1'), run('a2', '"b2"')]],
    ['full' as const, [run('fa1', 'fb1'), run('fa2', 'fb2')]],
  ]);
  expect(samplesByPrompt(runs, [1, 2])).toBe(
    [
      '- `A`',
      '  - before: "old a"',
      '  - lisa, seed 1: "a1"',
      '  - lisa, seed 2: "a2"',
      '  - full, seed 1: "fa1"',
      '  - full, seed 2: "fa2"',
      '- `B`',
      '  - before: "old b"',
      '  - lisa, seed 1: "b1"',
      '  - lisa, seed 2: "\\"b2\\""',
      '  - full, seed 1: "fb1"',
      '  - full, seed 2: "fb2"',
    ].join('\n'),
  );
});
