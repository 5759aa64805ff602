// The checkpoints of a run: when one is due, and what follows if it cannot be written.

import { AppError } from '../base/errors';
import type { RunConfig } from '../config/run-config';
import type { SafetensorsFile } from '../io/formats/safetensors';
import { SaveClock } from './save-clock';
import type { SessionHost } from './session-host';

export class Saves {
  readonly #host: SessionHost;
  readonly #config: RunConfig;
  readonly #clock = new SaveClock();
  #on = true;
  /** Step of the last checkpoint, if one was written or read. */
  step: number | null = null;

  constructor(host: SessionHost, config: RunConfig) {
    this.#host = host;
    this.#config = config;
  }

  /** False once only checkpoints that are requested are written. */
  get on(): boolean {
    return this.#on;
  }

  stop(): void {
    this.#on = false;
  }

  /** Every so many steps, or as often as time allows. `trained`: seconds of training so far. */
  isDue(completed: number, trained: number): boolean {
    const { saveEvery, stepsPerPeriod } = this.#config;
    if (!this.#on) return false;
    return saveEvery === null ? this.#clock.isDue(completed % stepsPerPeriod === 0, trained) : saveEvery > 0 && completed % saveEvery === 0;
  }

  /** The run goes on from a checkpoint. */
  resumed(step: number, trained: number): void {
    this.step = step;
    this.#clock.noteSave(0, trained);
  }

  /**
   * Writes the checkpoint of a step. If the storage fails, the run is unharmed: the host is told and holds it, or where it cannot, STORAGE is
   * thrown. `check` throws if the run is not wanted any more.
   */
  async write(step: number, trained: number, file: SafetensorsFile, check: () => Promise<void>): Promise<void> {
    const begun = performance.now();
    try {
      await this.#host.checkpoints?.write(step, file);
    } catch (thrown) {
      await check();
      if (!this.#host.hold || !(thrown instanceof AppError) || thrown.code !== 'STORAGE') throw thrown;
      this.#host.emit({ type: 'saveFailed', step, error: thrown.toInfo() });
      this.#host.hold();
      return;
    }
    this.step = step;
    this.#clock.noteSave((performance.now() - begun) / 1000, trained);
    this.#host.emit({ type: 'checkpoint', step });
  }
}
