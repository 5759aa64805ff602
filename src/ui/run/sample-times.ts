// Samples of the same prompts at several steps: which steps there are, and what was written when. Pure.

import type { Sample } from '../../train/events';

/** Tokens of a prompt that did not fit. */
export const leftOutOf = (samples: readonly Sample[], prompt: string): number =>
  samples.find((sample) => sample.prompt === prompt)?.leftOut ?? 0;

/** In the order in which they were first written. */
export const promptsOf = (samples: readonly Sample[]): string[] => [...new Set(samples.map(({ prompt }) => prompt))];

/** Steps after which samples were written, ascending, without those of the base model. */
export const sampleSteps = (samples: readonly Sample[]): number[] =>
  [...new Set(samples.flatMap(({ when, step }) => (when === 'before' ? [] : [step])))].sort((a, b) => a - b);

export const baseSample = (samples: readonly Sample[], prompt: string): Sample | undefined =>
  samples.find((sample) => sample.when === 'before' && sample.prompt === prompt);

/** At one step the last sample counts: a run that is stopped right after a sample writes another. */
export const sampleAfter = (samples: readonly Sample[], prompt: string, step: number): Sample | undefined =>
  samples.findLast((sample) => sample.when !== 'before' && sample.prompt === prompt && sample.step === step);
