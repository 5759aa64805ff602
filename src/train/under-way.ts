// The step that the GPU works on while the next one is encoded, and what its figures add up to when they arrive.

import { AppError } from '../base/errors';
import type { RunConfig } from '../config/run-config';
import type { StepMetrics } from './events';
import type { Submitted } from './step';

/** The figures of a step but the memory that it leaves in use. */
export type StepFigures = Omit<StepMetrics, 'memory'>;

/** What a step whose loss is not finite may have changed, by how gradients are clipped. */
const CHANGED: Readonly<Record<RunConfig['gradClipMode'], string>> = {
  global: 'No weight was changed by it.',
  block: 'It has changed no weight, but layers above the one where it appeared may have taken this step.',
};

export class UnderWay {
  /** Tokens and seconds of training so far. */
  tokens = 0;
  seconds = 0;
  /** The last step whose loss and gradient were finite. */
  goodStep = 0;
  /** When the last step ended, or when training resumed. */
  #mark = 0;
  #last: Promise<void> = Promise.resolve();

  /**
   * `told`: called with the figures of every step, in order. step() and drain() throw NONFINITE_LOSS after a step whose loss or gradient is not
   * finite.
   */
  constructor(
    readonly told: (figures: StepFigures, layerNorms: ReadonlyMap<number, number> | null) => void,
    readonly clipping: RunConfig['gradClipMode'],
  ) {}

  /** Takes over a submitted step. Returns once the step before it is done, so that one is always under way while the next is encoded. */
  async step(submitted: Submitted): Promise<void> {
    const before = this.#last;
    this.#last = this.#tell(submitted);
    // It is awaited later; until then a failure must not count as an unhandled rejection.
    this.#last.catch(() => undefined);
    await before;
  }

  /** Waits for the step under way and throws its error, if it failed. */
  async drain(): Promise<void> {
    const last = this.#last;
    this.#last = Promise.resolve();
    await last;
  }

  /** Goes on after `step` of a checkpoint. */
  restore(step: number, tokens: number, seconds: number): void {
    this.goodStep = step;
    this.tokens = tokens;
    this.seconds = seconds;
  }

  /** Time that passed before this moment was not spent on training. */
  resumeClock(): void {
    this.#mark = performance.now();
  }

  async #tell({ step, lr, layers, blocks, tokens, targets, stats, layerNorms }: Submitted): Promise<void> {
    const [{ loss, gradNorm, bad }, norms] = await Promise.all([stats, layerNorms]);
    if (bad) {
      // The session says what to do about it.
      throw new AppError(
        'NONFINITE_LOSS',
        `The loss or the gradient of step ${step} is not a finite number. ${CHANGED[this.clipping]}`,
        '',
      );
    }
    this.goodStep = step;
    const now = performance.now();
    const stepMs = now - this.#mark;
    this.#mark = now;
    this.tokens += tokens;
    this.seconds += stepMs / 1000;
    const active = { activeLayers: layers, ...(blocks.length > 0 && { activeBlocks: blocks }) };
    this.told({ step, loss, lr, gradNorm, tokens, targets, ...active, stepMs }, norms);
  }
}
