// What the worker that owns the GPU says to the one that reads strangers' files, and what it answers: plain data only.

import type { ErrorInfo } from '../../base/errors';
import type { DataHead, DataPreview } from '../../data/sample/preview';
import type { InspectConfig } from '../../data/sample/inspect';
import type { LoadConfig } from '../../data/sample/loading';
import type { TokenBlock } from '../../data/batch/token-store';
import type { DataSource, ModelSource } from '../../io/sources/run-sources';
import type { PromptText } from '../../train/prepare';
import type { SentData } from './sent-data';

/** Commands of different ids go on side by side; previews and loads take turns. */
export type ReaderCommand =
  | (Asked & { readonly type: 'inspect'; readonly config: InspectConfig; readonly data: DataSource })
  /** `keep`: the tokens of a preview stay for the next one; else they go to whoever asks. */
  | (Asked & { readonly type: 'load'; readonly config: LoadConfig; readonly data: DataSource; readonly keep: boolean })
  | (Asked & { readonly type: 'prompts'; readonly prompts: readonly PromptText[] })
  /** Answered by 'ended', or by the answer that was on its way. */
  | { readonly type: 'cancel'; readonly id: number };

interface Asked {
  readonly id: number;
  /** Address of the page, which built-in files are relative to. */
  readonly base: string;
  readonly model: ModelSource;
}

export type ReaderEvent =
  /**
   * The reader is alive. `id`: what it works on; null: it has just started. `allow`: how many milliseconds it may be silent from here on. `late`: the
   * error if it is silent for longer; null: nothing is known but the file.
   */
  | { readonly type: 'beat'; readonly id: number | null; readonly allow: number; readonly late: ErrorInfo | null }
  | { readonly type: 'progress'; readonly id: number; readonly fraction: number; readonly head: DataHead | null }
  | { readonly type: 'inspected'; readonly id: number; readonly preview: DataPreview }
  /** Tokens of the main file (0) or the held-out one (1), in their order. */
  | { readonly type: 'blocks'; readonly id: number; readonly file: number; readonly blocks: readonly TokenBlock[] }
  /** All blocks have been sent. One entry a file. */
  | { readonly type: 'loaded'; readonly id: number; readonly files: readonly SentData[] }
  | { readonly type: 'prompts'; readonly id: number; readonly ids: readonly (readonly number[])[] }
  | { readonly type: 'failed'; readonly id: number; readonly error: ErrorInfo }
  | { readonly type: 'ended'; readonly id: number };

/** How long the reader may be silent, in milliseconds. */
export const PATIENCE_MS = 3000;
