// The order of training: which samples make up which optimizer step. It is a pure function of (samples, config, epoch, cursor),
// so a run resumes from those two numbers exactly as if it had not been interrupted.

import { AppError } from '../../base/errors';
import { randomStream } from '../../base/random';
import { buildMicroBatch, type MicroBatch } from './batch';
import type { SampleList } from './token-store';
import { inputTokens, type Sample } from '../read/types';

export interface LoaderState {
  /** From 0. */
  readonly epoch: number;
  /** Samples of the epoch that have been used. */
  readonly cursor: number;
}

export interface StepData {
  /** gradAccum of them. */
  readonly microBatches: readonly MicroBatch[];
  /** Sums over the micro-batches. */
  readonly targets: number;
  readonly tokens: number;
}

/** Settings of a run on which the order and shape of its micro-batches depend. */
interface LoaderConfig {
  readonly batchSize: number;
  readonly gradAccum: number;
  readonly seqLen: number;
  readonly packing: boolean;
  readonly shuffle: boolean;
  readonly seed: number;
}

/**
 * Endless stream of optimizer steps. Every sample is used once per epoch. A step that begins near an epoch's end takes the
 * rest of it and continues with the next. Order: the permutation (seed, 'epoch', e), or the file's with shuffle off. Packing
 * fills a row with the next samples as long as their inputs fit T tokens; without it a row is one sample.
 */
export class Loader {
  private epoch = 0;
  private cursor = 0;
  private order: { readonly epoch: number; readonly permutation: Uint32Array } | null = null;

  constructor(
    private readonly samples: SampleList,
    private readonly config: LoaderConfig,
  ) {
    if (samples.length === 0) throw new AppError('DATASET_EMPTY', 'There are no samples to train on.', 'Add more data.');
    checkLengths(samples, config.seqLen);
  }

  nextStep(): StepData {
    const { batchSize, gradAccum } = this.config;
    const microBatches = Array.from({ length: gradAccum }, () => buildMicroBatch(Array.from({ length: batchSize }, () => this.nextRow())));
    return {
      microBatches,
      targets: microBatches.reduce((sum, { targets }) => sum + targets, 0),
      tokens: microBatches.reduce((sum, { rows }) => sum + rows, 0),
    };
  }

  state(): LoaderState {
    return { epoch: this.epoch, cursor: this.cursor };
  }

  /** Goes to a position that state() returned. Throws CHECKPOINT_MISMATCH if these samples don't have it. */
  restore({ epoch, cursor }: LoaderState): void {
    const whole = (value: number): boolean => Number.isInteger(value) && value >= 0;
    if (!whole(epoch) || !whole(cursor) || cursor >= this.samples.length) {
      throw new AppError(
        'CHECKPOINT_MISMATCH',
        `Sample ${cursor} of epoch ${epoch} is not in this data of ${this.samples.length} samples.`,
        'Resume with the data that the run began with.',
      );
    }
    this.epoch = epoch;
    this.cursor = cursor;
  }

  private nextRow(): Sample[] {
    const row = [this.take()];
    let room = this.config.seqLen - inputTokens(row[0]);
    while (this.config.packing && inputTokens(this.peek()) <= room) {
      const sample = this.take();
      row.push(sample);
      room -= inputTokens(sample);
    }
    return row;
  }

  private peek(): Sample {
    return this.samples.at(this.permutation()[this.cursor])!;
  }

  private take(): Sample {
    const sample = this.peek();
    this.cursor++;
    if (this.cursor === this.samples.length) {
      this.epoch++;
      this.cursor = 0;
    }
    return sample;
  }

  private permutation(): Uint32Array {
    if (this.order?.epoch !== this.epoch) {
      const permutation = Uint32Array.from({ length: this.samples.length }, (_, i) => i);
      if (this.config.shuffle) randomStream(this.config.seed, 'epoch', this.epoch).shuffle(permutation);
      this.order = { epoch: this.epoch, permutation };
    }
    return this.order.permutation;
  }
}

/** Made on demand: all of them together would take many times a large file's memory. */
export interface EvalBatches extends Iterable<MicroBatch> {
  readonly length: number;
}

/**
 * Micro-batches of all samples in their order, rows packed (segments keep them apart), each within the capacity of
 * batchSize rows of seqLen tokens. The last may be smaller.
 */
export function evalBatches(samples: SampleList, batchSize: number, seqLen: number): EvalBatches {
  checkLengths(samples, seqLen);
  /** First sample of each row. */
  const starts: number[] = [];
  let room = 0;
  let index = 0;
  for (const sample of samples) {
    if (index === 0 || inputTokens(sample) > room) {
      starts.push(index);
      room = seqLen;
    }
    room -= inputTokens(sample);
    index++;
  }
  const row = (at: number): Sample[] => {
    const end = starts[at + 1] ?? samples.length;
    return Array.from({ length: end - starts[at] }, (_, i) => samples.at(starts[at] + i)!);
  };
  return {
    length: Math.ceil(starts.length / batchSize),
    *[Symbol.iterator]() {
      for (let first = 0; first < starts.length; first += batchSize)
        yield buildMicroBatch(Array.from({ length: Math.min(batchSize, starts.length - first) }, (_, i) => row(first + i)));
    },
  };
}

function checkLengths(samples: SampleList, seqLen: number): void {
  for (const sample of samples) {
    if (inputTokens(sample) > seqLen || inputTokens(sample) < 1)
      throw new AppError('INTERNAL', `A sample of ${sample.ids.length} tokens does not fit rows of ${seqLen}.`, '');
  }
}
