// Where checkpoints are kept and how one is read: what the command line's folder, the page's private file system and a
// run agree on. What is in a checkpoint only train/checkpoint.ts knows.

import type { SafetensorsFile } from './safetensors';

/** Keeps one checkpoint: the latest whole one is what `open` gives. */
export interface CheckpointStorage {
  /** Writes a new file, then makes it the latest. Throws STORAGE where it cannot be written; the one before stays. */
  write(step: number, file: SafetensorsFile): Promise<void>;
  open(): Promise<CheckpointReader | null>;
  clear(): Promise<void>;
}

export interface CheckpointReader {
  /** Bytes. */
  readonly size: number;
  /** Bytes [start, end). */
  read(start: number, end: number): Promise<Uint8Array<ArrayBuffer>>;
}
