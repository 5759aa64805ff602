// A measurement of importance inside the worker: the probe on the page's sources, one at a time. It ends when it is cancelled and when a run
// starts, and leaves nothing behind.

import { AppError, errorInfo } from '../base/errors';
import type { Gpu } from '../gpu/device';
import { prepareInputs, Unwanted } from '../train/prepare';
import { measureImportance } from '../train/probe';
import type { Command, Event } from './protocol';
import type { Reader } from './reader/reader';
import { openModelSource, type SourcePlaces } from './sources';

type MeasureCommand = Extract<Command, { type: 'measure' }>;

/** Pause between two reports of the loading. */
const TELL_MS = 100;

class Measurement {
  #cancelled = false;
  readonly #unwanted = new AbortController();
  #active = true;
  readonly #settled: Promise<void>;

  /** Begins at once. Answers with 'measured' or 'measureFailed', unless it is cancelled. */
  constructor(command: MeasureCommand, gpu: Gpu, places: SourcePlaces, reader: Reader, post: (event: Event) => void) {
    this.#settled = this.#measure(command, gpu, places, reader, (event) => {
      if (!this.#cancelled) post(event);
    });
  }

  /** It has not answered yet. */
  get active(): boolean {
    return this.#active;
  }

  /** Resolves when it has let go of the GPU. */
  async cancel(): Promise<void> {
    this.#cancelled = true;
    this.#unwanted.abort();
    await this.#settled;
  }

  /** Never rejects. */
  async #measure(
    { id, config, model, data }: MeasureCommand,
    gpu: Gpu,
    places: SourcePlaces,
    reader: Reader,
    post: (event: Event) => void,
  ): Promise<void> {
    try {
      post({ type: 'measuring', id, progress: { phase: 'loading', done: 0, of: 1 } });
      const source = await openModelSource(model, places);
      const elsewhere = reader.for({ model, data }, places.base, this.#unwanted.signal, () => undefined, true);
      const inputs = await prepareInputs(config, { model: source, elsewhere }, { wanted: () => !this.#cancelled });
      let told = 0;
      const measured = measureImportance(
        gpu,
        inputs,
        { fullLr: null, verify: false },
        {
          progress: (progress) => {
            const now = performance.now();
            if (progress.phase === 'loading' && now < told + TELL_MS) return;
            told = now;
            post({ type: 'measuring', id, progress });
          },
          check: () => (this.#cancelled ? Promise.reject(new Unwanted()) : Promise.resolve()),
        },
      );
      const { profile } = await Promise.race([measured, gpu.lost.then((error) => Promise.reject(error))]);
      post({ type: 'measured', id, profile });
    } catch (thrown) {
      if (!(thrown instanceof Unwanted)) post({ type: 'measureFailed', id, error: errorInfo(thrown) });
    } finally {
      this.#active = false;
    }
  }
}

/** The measurement that was asked for last. */
export class Measurements {
  readonly #post: (event: Event) => void;
  #last: Measurement | null = null;

  constructor(post: (event: Event) => void) {
    this.#post = post;
  }

  get active(): boolean {
    return this.#last?.active ?? false;
  }

  /** Resolves when it has begun. `training`: a run is on the device, and the measurement is refused. */
  async start(command: MeasureCommand, gpu: Gpu | null, places: SourcePlaces, reader: Reader, training: boolean): Promise<void> {
    await this.end();
    const refusal = !gpu
      ? new AppError('NO_ADAPTER', 'The graphics device is not open.', 'Reload the page.')
      : training
        ? new AppError('CONFIG_INVALID', 'A run is training.', 'Measure before it starts or after it ends.')
        : null;
    if (!gpu || refusal) this.#post({ type: 'measureFailed', id: command.id, error: errorInfo(refusal) });
    else this.#last = new Measurement(command, gpu, places, reader, this.#post);
  }

  /** Resolves when none is on the device any more. */
  async end(): Promise<void> {
    await this.#last?.cancel();
    this.#last = null;
  }
}
