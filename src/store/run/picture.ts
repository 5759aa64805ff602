// A run to look at: the live one, a past one, or the recorded one. Every panel of the run screen takes a picture and
// knows nothing of where it came from.

import { useMetrics, type RunMetrics } from './metrics';
import { useRunStore, type Run } from './run';

export interface RunPicture {
  readonly run: Run;
  readonly metrics: RunMetrics;
  /** Changes when the metrics have grown. */
  readonly version: number;
  readonly kind: 'live' | 'past' | 'recorded';
}

/** The run that is live in this page, or that ended in it. */
export function useLivePicture(): RunPicture | null {
  const run = useRunStore((state) => state.run);
  const { metrics, version } = useMetrics();
  return run && { run, metrics, version, kind: 'live' };
}
