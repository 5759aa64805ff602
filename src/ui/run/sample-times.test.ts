import { expect, it } from 'vitest';
import type { Sample } from '../../train/events';
import { baseSample, promptsOf, sampleAfter, sampleSteps } from './sample-times';

const sample = (when: Sample['when'], step: number, prompt: string): Sample => ({ when, step, prompt, text: `${prompt} ${when} ${step}` });
const samples = [
  sample('before', 0, 'a'),
  sample('before', 0, 'b'),
  sample('during', 10, 'a'),
  sample('during', 10, 'b'),
  sample('during', 20, 'a'),
  sample('during', 20, 'b'),
  sample('after', 20, 'a'),
];

it('finds the steps, the prompts and the texts', () => {
  expect(promptsOf(samples)).toEqual(['a', 'b']);
  expect(sampleSteps(samples)).toEqual([10, 20]);
  expect(baseSample(samples, 'b')?.text).toBe('b before 0');
  expect(sampleAfter(samples, 'b', 10)?.text).toBe('b during 10');
  expect(sampleAfter(samples, 'a', 20)?.text).toBe('a after 20');
  expect(sampleAfter(samples, 'c', 20)).toBeUndefined();
});

it('a run that was gone on with has no base text, and may have stopped at once', () => {
  expect(sampleSteps([])).toEqual([]);
  expect(baseSample([sample('during', 40, 'a')], 'a')).toBeUndefined();
  expect(sampleSteps([sample('after', 0, 'a')])).toEqual([0]);
});
