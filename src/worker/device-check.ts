// A check of the device on request of the page: one at a time, between runs, and ended by the start of one.

import { AppError, errorInfo } from '../base/errors';
import type { Gpu } from '../gpu/device';
import { checkDevice } from '../train/check-device';
import type { Event } from './protocol';

export class DeviceCheck {
  readonly #post: (event: Event) => void;
  /** Ends the check that runs. */
  #cancel: (() => void) | null = null;

  constructor(post: (event: Event) => void) {
    this.#post = post;
  }

  /** Answers with 'deviceChecked' or 'deviceCheckFailed'. `busy`: a run is on the device. */
  async start(gpu: Gpu | null, runtime: string, busy: boolean): Promise<void> {
    try {
      if (!gpu) throw new AppError('NO_ADAPTER', 'The graphics device is not open.', 'Reload the page.');
      if (busy) throw new AppError('CONFIG_INVALID', 'A run is on the device.', 'Check it when the run has ended.');
      if (this.#cancel) return;
      let cancelled = false;
      this.#cancel = () => {
        cancelled = true;
      };
      const report = await checkDevice(gpu, runtime, {
        told: (fraction, what) => this.#post({ type: 'checkingDevice', fraction, what }),
        check: () => {
          if (cancelled) throw new Cancelled();
        },
      });
      this.#post({ type: 'deviceChecked', report });
    } catch (thrown) {
      this.#post({ type: 'deviceCheckFailed', error: thrown instanceof Cancelled ? null : errorInfo(thrown) });
    } finally {
      this.#cancel = null;
    }
  }

  cancel(): void {
    this.#cancel?.();
  }
}

class Cancelled extends Error {}
