// A measurement of importance inside the worker: the probe on the page's sources, one at a time. It ends when it is cancelled and when a run
// starts, and leaves nothing behind.

import { errorInfo } from '../base/errors';
import type { LoadedFiles } from '../data/sample/inspect';
import type { Gpu } from '../gpu/device';
import { prepareInputs, Unwanted } from '../train/prepare';
import { measureImportance } from '../train/probe';
import type { Command, Event } from './protocol';
import { openSources, type SourcePlaces } from './sources';

export type MeasureCommand = Extract<Command, { type: 'measure' }>;

/** Pause between two reports of the loading. */
const TELL_MS = 100;

export class Measurement {
  #cancelled = false;
  #active = true;
  readonly #settled: Promise<void>;

  /** Begins at once. Answers with 'measured' or 'measureFailed', unless it is cancelled. */
  constructor(command: MeasureCommand, gpu: Gpu, places: SourcePlaces, counted: LoadedFiles | null, post: (event: Event) => void) {
    this.#settled = this.#measure(command, gpu, places, counted, (event) => {
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
    await this.#settled;
  }

  /** Never rejects. */
  async #measure(
    { id, config, model, data }: MeasureCommand,
    gpu: Gpu,
    places: SourcePlaces,
    counted: LoadedFiles | null,
    post: (event: Event) => void,
  ): Promise<void> {
    try {
      post({ type: 'measuring', id, progress: { phase: 'loading', done: 0, of: 1 } });
      const files = await openSources(model, data, places);
      const inputs = await prepareInputs(config, { ...files, counted }, undefined, undefined, () => !this.#cancelled);
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
