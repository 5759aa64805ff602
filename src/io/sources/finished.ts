// The models of runs that have ended, as they are kept beside what the runs were started from: each can be opened again,
// compared and exported, until it is deleted.

import type { CheckpointReader } from '../formats/checkpoints';
import type { SafetensorsFile } from '../formats/safetensors';
import type { KeptSources } from './run-sources';

export interface FinishedRun {
  readonly runId: string;
  /** The last step that it trained. */
  readonly step: number;
  /** What it takes of the storage. */
  readonly bytes: number;
  /** The local folder that must be chosen again before it can be opened; null where everything is there. */
  readonly needsModel: string | null;
}

export interface FinishedStorage {
  /** Throws STORAGE if there is no room; then nothing of the run is kept. */
  keep(runId: string, step: number, sources: KeptSources, file: SafetensorsFile): Promise<void>;
  open(runId: string): Promise<{ readonly reader: CheckpointReader; readonly sources: KeptSources } | null>;
  list(): Promise<readonly FinishedRun[]>;
  remove(runId: string): Promise<void>;
  /** Removes what a crash left half written. Nothing may be keeping a run meanwhile. */
  dropBroken(): Promise<void>;
}
