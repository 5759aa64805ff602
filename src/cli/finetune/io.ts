import type { Gpu } from '../../gpu/device';
import type { StopReason } from '../terminal';

/** What the program needs of the process that it runs in. */
export interface FinetuneIo {
  stdout(text: string): void;
  stderr(text: string): void;
  openGpu(): Promise<Gpu>;
  /** Calls back when the run should end early: a signal, or nobody reads what it prints. Returns how to stop listening. */
  onStop(stop: (reason: StopReason) => void): () => void;
  /** The folder of the built-in model and data. */
  readonly publicFolder: string;
  /** Environment variables of the process: HF_TOKEN, XDG_CACHE_HOME. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Show where an internal error came from. */
  readonly debug: boolean;
}
