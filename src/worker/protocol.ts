// What the page and the trainer say to each other: two unions, plain data only. The command line listens to
// the same events. Every event of a run carries its runId.

import type { RunConfig } from '../config/run-config';
import type { ErrorInfo } from '../base/errors';
import type { DeviceDescription, DeviceLimits } from '../dispatch/limits';
import type { BernoulliReport } from '../lisa/schedule';
import type { Forecast } from '../plan/forecast';
import type { Message } from '../data/read/types';
import type { DataHead, DataPreview } from '../data/sample/preview';
import type { GgufType } from '../io/formats/gguf';
import type { ModelFacts } from '../io/sources/model-facts';
import type { Dtype, ModelShape } from '../model/types';
import type { MemoryTotals } from '../dispatch/memory';
import type { HubCommand, HubEvent, HubModel } from './protocol-hub';

/** Files of a model in Hugging Face layout, one that the page ships, or one of a hub that is whole in the cache. */
export type ModelSource =
  | { readonly kind: 'builtin'; readonly id: string }
  | { readonly kind: 'files'; readonly name: string; readonly files: readonly File[] }
  | HubModel;

export type DataSource =
  | { readonly kind: 'builtin'; readonly id: string }
  /** `heldOut`: to evaluate on, in place of a share of the rows. */
  | { readonly kind: 'file'; readonly file: File; readonly heldOut?: File };

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
   * Goes on from the last checkpoint that this origin holds, under the runId that it was written with. `model`: the
   * folder again, where the run was of a local one; data files are kept beside the checkpoint.
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
  /** Writes a checkpoint after the current step. */
  | { readonly type: 'save' }
  /** Asks for proof that the layers that are frozen now are bit for bit what they were; answered by 'verified'. */
  | { readonly type: 'verify' }
  /** Asks for the tuned model as files, or for the changed tensors alone; answered by 'exported' or 'exportFailed'. */
  | { readonly type: 'export'; readonly what: ExportKind }
  /** Reads data as a run would, without starting one; answered by 'inspected' with the same id. A newer one replaces an older. */
  | { readonly type: 'inspect'; readonly id: number; readonly config: RunConfig; readonly model: ModelSource; readonly data: DataSource }
  /** Asks what the model is, from its config and the headers of its weights; answered by 'examined' or 'examineFailed'. */
  | { readonly type: 'examine'; readonly id: number; readonly model: ModelSource }
  /** Base and tuned model answer the same messages; only after a run has ended. A newer one replaces an older. */
  | { readonly type: 'compare'; readonly id: number; readonly request: CompareRequest }
  | { readonly type: 'cancelCompare' };

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

/** Where a run is. */
export type Phase = 'opening' | 'loading' | 'preparing' | 'evaluating' | 'sampling' | 'training' | 'paused' | 'saving' | 'done' | 'failed';

export interface StepMetrics {
  /** From 1. */
  readonly step: number;
  /** Mean over the step's targets, before the step's update; natural log. */
  readonly loss: number;
  readonly lr: number;
  readonly gradNorm: number;
  /** Tokens that went through the model. */
  readonly tokens: number;
  /** Tokens that carried a loss. */
  readonly targets: number;
  readonly activeLayers: readonly number[];
  readonly stepMs: number;
  /** Live GPU bytes by class, and their sum. */
  readonly memory: MemoryTotals;
}

export interface Period {
  /** From 0. */
  readonly period: number;
  /** First optimizer step, from 1. */
  readonly firstStep: number;
  readonly layers: readonly number[];
}

/** Bytes that a part of the model has on the GPU, as the ledger counts them. */
export interface BlockBytes {
  /** embedding, layer.0 … layer.L−1, norm, head (none where it is tied). */
  readonly name: string;
  readonly weights: number;
  /** While it trains: gradient, m and v. A sampled layer has them in its slot. 0 where it never trains. */
  readonly gradient: number;
  readonly m: number;
  readonly v: number;
  /** Trains at every step. */
  readonly always: boolean;
}

/** How far a layer moved in the period that ended at `step`: ‖W_after − W_before‖ / ‖W_before‖ (Frobenius, all its tensors). */
export interface LayerMove {
  readonly layer: number;
  readonly change: number;
}

/** How far the layers of a period moved in it. */
export interface PeriodUpdate {
  readonly period: number;
  readonly layers: readonly LayerMove[];
}

export interface DataSummary {
  readonly name: string;
  readonly format: string;
  readonly rows: number;
  readonly evalRows: number;
  /** Copies of held-out rows in the training part: taken out of it, or, with dedupe off, left there. */
  readonly duplicates: number;
  readonly tokens: number;
  readonly targets: number;
  readonly truncated: number;
  readonly dropped: number;
  /** Rows that became a sample for each answer, because the chat template rewrites earlier turns. */
  readonly perAnswer: number;
  readonly badRows: number;
}

export interface Prepared {
  readonly modelName: string;
  readonly shape: ModelShape;
  readonly parameters: number;
  /** Parameters that this method trains in one step (γ layers and the always-on tensors for LISA). */
  readonly trainable: number;
  readonly data: DataSummary;
  readonly device: DeviceDescription;
  /** Forecasts of all three methods for the same shape of batch. */
  readonly forecasts: { readonly full: Forecast; readonly lisa: Forecast; readonly lora: Forecast };
  /** The seeded schedule of the whole run (LISA; empty otherwise). */
  readonly schedule: readonly Period[];
  readonly blocks: readonly BlockBytes[];
  /** First step of this process: 1, or the step after the checkpoint. */
  readonly firstStep: number;
}

export interface Sample {
  readonly when: 'before' | 'after' | 'during';
  readonly step: number;
  readonly prompt: string;
  readonly text: string;
  /** Tokens from the prompt's beginning that the model did not see: it is longer than there is room for. */
  readonly leftOut?: number;
}

export interface HeldOut {
  readonly step: number;
  /** Mean over the held-out targets, in nats. */
  readonly loss: number;
  /** Where the weights were rounded to this type for it, as those of an export. */
  readonly weights?: 'f16' | 'bf16';
}

/** What rounding the last layers in training back to their 16 bits does to the held-out loss. */
export interface Rounding {
  readonly layers: readonly number[];
  /** With their f32 masters, and as they are stored and exported; null where nothing is held out. */
  readonly before: number | null;
  readonly after: number | null;
}

export interface RunReport {
  readonly method: RunConfig['method'];
  readonly device: DeviceDescription;
  readonly kernels: string;
  readonly schedule: readonly Period[];
  readonly memory: {
    readonly forecast: MemoryTotals;
    readonly peak: MemoryTotals;
    readonly fullForecast: MemoryTotals;
    readonly loraForecast: MemoryTotals;
  };
  readonly parameters: number;
  /** Parameters by the type in which they lie on the GPU, masters apart. Older reports have none. */
  readonly stored?: Readonly<Record<Dtype, number>>;
  /** Only where layers were rounded at the end. */
  readonly rounding?: Rounding;
  readonly trainable: number;
  readonly tokensPerSecond: number;
  /** How often the draws of the Bernoulli sampler were corrected; with that sampler only. */
  readonly bernoulli?: BernoulliReport;
  /** Empty where updates were not measured. The last period may be a part of one. */
  readonly updates: readonly PeriodUpdate[];
  /** The last is of the weights that were exported. */
  readonly evalLoss: readonly HeldOut[];
}

export type RunEvent =
  | {
      readonly type: 'phase';
      readonly phase: Phase;
      readonly detail?: string;
      /** 0 to 1, where it is known. */ readonly fraction?: number;
    }
  | { readonly type: 'prepared'; readonly prepared: Prepared }
  | { readonly type: 'step'; readonly metrics: StepMetrics }
  | (HeldOut & { readonly type: 'eval'; readonly targets: number })
  | { readonly type: 'sample'; readonly sample: Sample }
  /** Layers that leave training after `step`, or that were training when the run ended. */
  | { readonly type: 'moved'; readonly step: number; readonly period: number; readonly layers: readonly LayerMove[] }
  /** `frozen`: blocks of the model that are not in training; `changed`: those of them whose bits differ (none, if all is right). */
  | { readonly type: 'verified'; readonly step: number; readonly frozen: readonly string[]; readonly changed: readonly string[] }
  /** At the end, before the last sample: layers that were in training are stored in 16 bits again. */
  | { readonly type: 'rounded'; readonly step: number; readonly rounding: Rounding }
  | { readonly type: 'checkpoint'; readonly step: number }
  /** A checkpoint could not be written. The run is whole and pauses, unless it is at its end. */
  | { readonly type: 'saveFailed'; readonly step: number; readonly error: ErrorInfo }
  | { readonly type: 'done'; readonly report: RunReport; readonly stopped: boolean }
  | {
      readonly type: 'failed';
      readonly error: ErrorInfo;
      /** Step of the last checkpoint, if there is one. */ readonly savedStep: number | null;
    };

export type Event =
  | HubEvent
  | { readonly type: 'opened'; readonly device: DeviceDescription; readonly limits: DeviceLimits; readonly features: readonly string[] }
  /** Measured once after opening: a matrix product of a model's size, forward and both gradients. */
  | { readonly type: 'speed'; readonly flopsPerSecond: number }
  /** No run could be started, or the device could not be opened. */
  | { readonly type: 'refused'; readonly error: ErrorInfo }
  /** A checkpoint of an unfinished run is there to go on from. */
  | {
      readonly type: 'resumable';
      readonly runId: string;
      readonly step: number;
      readonly steps: number;
      readonly config: RunConfig;
      /** The name of the local folder that must be chosen again; null where everything is there. */
      readonly needsModel: string | null;
      /** The model of a hub that is not whole in the cache any more and must be downloaded again; null where everything is there. */
      readonly needsDownload: HubModel | null;
    }
  /** Of data that takes long to count: how far it is (0 to 1), and once the first rows. */
  | { readonly type: 'inspecting'; readonly id: number; readonly fraction: number; readonly head: DataHead | null }
  | { readonly type: 'inspected'; readonly id: number; readonly preview: DataPreview }
  | { readonly type: 'inspectFailed'; readonly id: number; readonly error: ErrorInfo }
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
  /** A run that had ended is let go: its model can no longer be compared or exported. */
  | { readonly type: 'closed'; readonly runId: string }
  | {
      readonly type: 'exported';
      readonly what: ExportKind;
      readonly files: readonly ExportedFile[];
    }
  | { readonly type: 'exportFailed'; readonly what: ExportKind; readonly error: ErrorInfo };
