// The method, and how long and how large a run is.

import { row, METHODS, type Method } from '../field';
import { above, choice, whole } from '../kinds';

/** The learning rate each method does best with on the built-in model (docs/results.md). */
export const METHOD_LR: Readonly<Record<Method, number>> = { lisa: 5e-4, full: 3e-4, lora: 2e-3 };

export const RUN = {
  method: row(choice(...METHODS), { default: 'lisa', flag: 'method', help: 'how to train', simple: true, listed: true }),
  /** Optimizer steps. */
  steps: row(whole(1, 10_000_000), { default: 100, flag: 'steps', help: 'optimizer steps', simple: true, listed: true }),
  lr: row(above(0, 10), {
    default: METHOD_LR.lisa,
    flag: 'lr',
    help: `peak learning rate (default by method: LISA ${METHOD_LR.lisa}, full ${METHOD_LR.full}, LoRA ${METHOD_LR.lora})`,
    simple: true,
    follows: ({ method }) => METHOD_LR[method],
    listed: true,
  }),
  /** T: tokens of a row, at most. */
  seqLen: row(
    whole(2, 1_048_576, {
      name: 'the number of positions',
      max: ({ maxPositions }) => maxPositions,
      problem: (value, { maxPositions }) => `${value} tokens are more than the model's ${maxPositions} positions.`,
    }),
    { default: 128, flag: 'seq-len', help: 'tokens per row, at most', listed: true, shapesData: true },
  ),
  /** B: rows of a micro-batch. */
  batchSize: row(whole(1, 65_536), { default: 4, flag: 'batch-size', help: 'rows per micro-batch', listed: true }),
  /** Micro-batches of an optimizer step. */
  gradAccum: row(whole(1, 65_536), { default: 1, flag: 'grad-accum', help: 'micro-batches per step' }),
  seed: row(whole(0, 0xffffffff), {
    default: 1,
    flag: 'seed',
    help: 'seed of the layer draws, row order, LoRA start and samples',
    listed: true,
    shapesData: true,
  }),
};
