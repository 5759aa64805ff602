// What a session is given by whoever runs it: the page's worker, the terminal, a test.

import type { CheckpointStorage } from '../io/formats/checkpoints';
import type { SafetensorsFile } from '../io/formats/safetensors';
import type { OpenScratch } from '../io/formats/scratch';
import type { RunEvent } from './events';
import type { GateAnswer } from './gate';

export interface SessionHost {
  /** Name of the run; kept in checkpoints. */
  readonly runId?: string;
  emit(event: RunEvent): void;
  readonly checkpoints: CheckpointStorage | null;
  /** Stores the final weights, in place of a last checkpoint. Does not throw if it cannot. */
  keep?(step: number, file: SafetensorsFile): Promise<void>;
  /** Where layers that lie quantised keep their full precision; by default in memory. */
  readonly scratch?: OpenScratch;
  /** Asked before every step; resolves when the run may continue, is to end here, or is to do something first. */
  gate(): Promise<GateAnswer>;
  /** Asked inside samples and evaluations; resolves at once, or when a pause is over. `onRest` is called if it waits. */
  rest?(onRest: () => void): Promise<void>;
  /** Makes the next answer of the gate wait for a person. Without it a checkpoint that cannot be written ends the run. */
  hold?(): void;
  /** Records what is needed to prove that frozen weights are unchanged; without it there is no such proof. */
  readonly proof?: 'on request' | 'every period';
  /** Over a quantised base: measures the held-out loss of the exported model at the end of the run, while the run still holds its memory. */
  readonly measureExport?: boolean;
  /** True once the run's results are not wanted any more; run() then ends by throwing Discarded. */
  discarded(): boolean;
}

export class Discarded extends Error {}
