// Whether the worker of the run that is going on still answers. One that does not can only be ended from outside; the page offers that, with
// the last checkpoint, and does nothing by itself.

import { create } from 'zustand';
import { reopenDevice } from './actions';
import { send } from '../link';
import { isActive, reduceRun, useRunStore } from './run';

/** True once the worker has been silent for long, although it was asked. */
export const useAnswering = create<{ readonly silent: boolean }>(() => ({ silent: false }));

const TICK_MS = 4000;
/** Ticks without an answer. A machine that slept takes one at most. */
const PATIENCE = 5;

let unanswered = 0;

/** Called for everything that the worker says. */
export function hear(): void {
  unanswered = 0;
  if (useAnswering.getState().silent) useAnswering.setState({ silent: false });
}

/** Asks now and then while a run is going on. Returns the function that ends it. */
export function watchAnswering(): () => void {
  const timer = setInterval(() => {
    if (!isActive(useRunStore.getState().run)) return hear();
    if (unanswered === 0) send({ type: 'ping' });
    unanswered++;
    if (unanswered > PATIENCE && !useAnswering.getState().silent) useAnswering.setState({ silent: true });
  }, TICK_MS);
  return () => clearInterval(timer);
}

/** Ends the worker, and with it the run; a fresh one offers the last checkpoint. */
export function endSilentRun(): void {
  const { run } = useRunStore.getState();
  hear();
  if (run && isActive(run)) {
    const detail = 'The training no longer answered, so it was ended.';
    const remedy = run.savedStep === null ? 'Start it again.' : 'Resume it from the last checkpoint.';
    useRunStore.setState({ run: reduceRun(run, { type: 'failed', error: { code: 'DEVICE_LOST', detail, remedy }, savedStep: null }) });
  }
  reopenDevice();
}
