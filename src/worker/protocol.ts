// What the page asks of its worker and what the worker answers: two unions, plain data only. What a run reports is in
// train/events.ts; here it comes in an event that names the run.

import type { RunConfig } from '../config/run-config';
import type { ErrorInfo } from '../base/errors';
import type { DeviceDescription, DeviceLimits } from '../dispatch/limits';
import type { Message } from '../data/read/types';
import type { DataHead, DataPreview } from '../data/sample/preview';
import type { GgufType } from '../io/formats/gguf';
import type { ModelFacts } from '../io/sources/model-facts';
import type { HubCommand, HubEvent } from './protocol-hub';
import type { FinishedRun } from '../io/sources/finished';
import type { HubModel } from '../io/hub/types';
import type { DataSource, ModelSource } from '../io/sources/run-sources';
import type { ImportanceProfile } from '../lisa/profile';
import type { DeviceReport } from '../train/device-report';
import type { RunEvent } from '../train/events';
import type { ProofLine } from '../train/prove';
import type { ProbeProgress } from '../train/probe';

export type Command =
  | HubCommand
  /** Opens the device and describes it. */
  | {
      readonly type: 'open';
      /** Address of the page, which built-in files are relative to. */ readonly base: string;
      readonly lowPower?: boolean;
    }
  | {
      readonly type: 'start';
      readonly runId: string;
      readonly config: RunConfig;
      readonly model: ModelSource;
      readonly data: DataSource;
      readonly paused?: boolean;
    }
  /**
   * Resumes from the last checkpoint that this origin holds, under the runId that it was written with. `model`: the
   * folder again, if the run used a local one; data files are kept beside the checkpoint.
   */
  | { readonly type: 'resume'; readonly runId: string; readonly model?: ModelSource }
  | { readonly type: 'pause' }
  /** `saving` false: without checkpoints from here on, after one could not be written. */
  | { readonly type: 'continue'; readonly saving?: boolean }
  /** How long to rest after each step, as a share of its time; 0: not at all. Holds for later runs too. */
  | { readonly type: 'pace'; readonly rest: number }
  /** One step, then pause. */
  | { readonly type: 'step' }
  /** Ends the run after the current step; the weights so far are evaluated, sampled and kept. */
  | { readonly type: 'stop' }
  /** Ends the run at once and keeps nothing of it; its checkpoint is removed. */
  | { readonly type: 'discard' }
  /** After a step that failed ('failed' with lastGood): the run ends at the last good one instead. */
  | { readonly type: 'endAtLastGood'; readonly runId: string }
  /** Asks for a sign of life, answered by 'alive' at once, whatever else is going on. */
  | { readonly type: 'ping' }
  /** Writes a checkpoint after the current step. */
  | { readonly type: 'save' }
  /** Asks for proof that the layers that are frozen now are bit for bit what they were; answered by 'verified'. */
  | { readonly type: 'verify' }
  /** Asks for the tuned model as files, or for the changed tensors alone; answered by 'exported' or 'exportFailed'. */
  | ({ readonly type: 'export'; readonly what: ExportKind } & OfEnded)
  /** Tries again to store the final weights of the run that has ended. */
  | { readonly type: 'keep' }
  /** Deletes the stored models of these runs. */
  | { readonly type: 'forgetModels'; readonly runIds: readonly string[] }
  /** Reads data as a run would, without starting one; answered by 'inspected' with the same id. A newer one replaces an older. */
  | { readonly type: 'inspect'; readonly id: number; readonly config: RunConfig; readonly model: ModelSource; readonly data: DataSource }
  /**
   * Trains LoRA for the steps of `config`, throws it away, and answers by 'measuring' and then 'measured' or 'measureFailed' with the same
   * id. Refused while a run trains; a start ends it.
   */
  | { readonly type: 'measure'; readonly id: number; readonly config: RunConfig; readonly model: ModelSource; readonly data: DataSource }
  | { readonly type: 'cancelMeasure' }
  /** Asks what the model is, from its config and the headers of its weights; answered by 'examined' or 'examineFailed'. */
  | { readonly type: 'examine'; readonly id: number; readonly model: ModelSource }
  /** Proves that the device computes what runs need, and how fast; answered by 'deviceChecked' or 'deviceCheckFailed'. Refused while a run is there. */
  | { readonly type: 'checkDevice'; readonly runtime: string }
  | { readonly type: 'cancelDeviceCheck' }
  /** Base and tuned model answer the same messages. A newer one replaces an older. */
  | ({ readonly type: 'compare'; readonly id: number; readonly request: CompareRequest } & OfEnded)
  | { readonly type: 'cancelCompare' }
  /** Shows with the ended run's model, data and settings that LISA does what it promises; answered by 'proving' and then 'proved' or 'proveFailed'. */
  | ({ readonly type: 'prove' } & OfEnded)
  | { readonly type: 'cancelProof' };

/** A run that has ended, in this page or before: a stored one is opened first. `model`: the folder again, if it used a local one. */
interface OfEnded {
  readonly runId: string;
  readonly model?: ModelSource;
}

/** `gguf-…`: one file for llama.cpp, matrices of that type; for LoRA the adapter beside it. */
export type ExportKind = 'model' | 'delta' | `gguf-${GgufType}`;

export interface ExportedFile {
  readonly name: string;
  /** The browser may keep its bytes on disk. */
  readonly data: Blob;
  /** CRC-32 of the bytes, for an archive; null for what stays a file of its own. */
  readonly crc32: number | null;
}

export interface CompareRequest {
  /** A conversation for each side (their answers differ), ending with the user's message; one text where there is no chat template. */
  readonly base: readonly Message[];
  readonly tuned: readonly Message[];
  readonly temperature: number;
  readonly seed: number;
  readonly maxTokens: number;
}

export type Side = 'base' | 'tuned';

export type Event =
  | HubEvent
  | { readonly type: 'alive' }
  | { readonly type: 'opened'; readonly device: DeviceDescription; readonly limits: DeviceLimits; readonly features: readonly string[] }
  /** Measured once after opening: a matrix product of a model's size, forward and both gradients. */
  | { readonly type: 'speed'; readonly flopsPerSecond: number }
  /** Progress (0 to 1) of a check of the device, and what is being checked. */
  | { readonly type: 'checkingDevice'; readonly fraction: number; readonly what: string }
  | { readonly type: 'deviceChecked'; readonly report: DeviceReport }
  /** Null: it was cancelled. */
  | { readonly type: 'deviceCheckFailed'; readonly error: ErrorInfo | null }
  /** No run could be started, or the device could not be opened. */
  | { readonly type: 'refused'; readonly error: ErrorInfo }
  /** There is a checkpoint of an unfinished run to resume from. */
  | {
      readonly type: 'resumable';
      readonly runId: string;
      readonly step: number;
      readonly steps: number;
      readonly config: RunConfig;
      /** The name of the local folder that must be chosen again; null where everything is there. */
      readonly needsModel: string | null;
      /** The model of a hub that is no longer complete in the cache and must be downloaded again; null where everything is there. */
      readonly needsDownload: HubModel | null;
    }
  /** Progress (0 to 1) for data that takes long to count, and once the first rows. */
  | { readonly type: 'inspecting'; readonly id: number; readonly fraction: number; readonly head: DataHead | null }
  | { readonly type: 'inspected'; readonly id: number; readonly preview: DataPreview }
  | { readonly type: 'inspectFailed'; readonly id: number; readonly error: ErrorInfo }
  /** What is being done, and which part of it is done: 0 to 1. */
  | { readonly type: 'proving'; readonly runId: string; readonly what: string; readonly fraction: number }
  | { readonly type: 'proved'; readonly runId: string; readonly lines: readonly ProofLine[] }
  | { readonly type: 'proveFailed'; readonly runId: string; readonly error: ErrorInfo }
  | { readonly type: 'measuring'; readonly id: number; readonly progress: ProbeProgress }
  | { readonly type: 'measured'; readonly id: number; readonly profile: ImportanceProfile }
  | { readonly type: 'measureFailed'; readonly id: number; readonly error: ErrorInfo }
  | { readonly type: 'examined'; readonly id: number; readonly facts: ModelFacts }
  | { readonly type: 'examineFailed'; readonly id: number; readonly error: ErrorInfo }
  /** The answer so far; the last one of a side has `done`. */
  | {
      readonly type: 'reply';
      readonly id: number;
      readonly side: Side;
      readonly text: string;
      readonly tokens: number;
      readonly done: boolean;
    }
  | { readonly type: 'compareFailed'; readonly id: number; readonly error: ErrorInfo }
  | { readonly type: 'run'; readonly runId: string; readonly event: RunEvent }
  /** The models of ended runs that are stored. Told after opening, and whenever it changes. */
  | { readonly type: 'finished'; readonly runs: readonly FinishedRun[] }
  /** The final weights could not be stored. */
  | { readonly type: 'keepFailed'; readonly runId: string; readonly error: ErrorInfo }
  /** A stored model is being opened, because something was asked of it: 0 to 1; null when it is open, or could not be opened. */
  | { readonly type: 'reopening'; readonly runId: string; readonly fraction: number | null }
  /** A run that had ended is closed: its model can no longer be compared or exported. */
  | { readonly type: 'closed'; readonly runId: string }
  | {
      readonly type: 'exported';
      readonly what: ExportKind;
      readonly files: readonly ExportedFile[];
    }
  | { readonly type: 'exportFailed'; readonly what: ExportKind; readonly error: ErrorInfo };
