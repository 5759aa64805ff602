// What the page and the trainer say to each other: two unions, plain data only. The command line listens to
// the same events. Every event of a run carries its runId.

import type { RunConfig } from '../config';
import type { ErrorInfo } from '../errors';
import type { DeviceDescription } from '../gpu/device';
import type { Forecast } from '../plan/forecast';
import type { ModelShape } from '../model/types';
import type { MemoryTotals } from '../plan/memory';

/** Files of a model in Hugging Face layout, or one that the page ships. */
export type ModelSource =
  { readonly kind: 'builtin'; readonly id: string } | { readonly kind: 'files'; readonly name: string; readonly files: readonly File[] };

export type DataSource = { readonly kind: 'builtin'; readonly id: string } | { readonly kind: 'file'; readonly file: File };

export type Command =
  /** Opens the device and describes it. */
  | { readonly type: 'open'; /** Address of the page, which built-in files are relative to. */ readonly base: string }
  | {
      readonly type: 'start';
      readonly runId: string;
      readonly config: RunConfig;
      readonly model: ModelSource;
      readonly data: DataSource;
      readonly paused?: boolean;
    }
  /** Goes on from the last checkpoint that this origin holds. */
  | { readonly type: 'resume'; readonly runId: string }
  | { readonly type: 'pause' }
  | { readonly type: 'continue' }
  /** One step, then pause. */
  | { readonly type: 'step' }
  /** Ends the run after the current step; the weights so far are evaluated, sampled and kept. */
  | { readonly type: 'stop' }
  /** Asks for the tuned model as files. */
  | { readonly type: 'export' };

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

export interface DataSummary {
  readonly name: string;
  readonly format: string;
  readonly rows: number;
  readonly evalRows: number;
  readonly tokens: number;
  readonly targets: number;
  readonly truncated: number;
  readonly dropped: number;
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
  /** First step of this process: 1, or the step after the checkpoint. */
  readonly firstStep: number;
}

export interface Sample {
  readonly when: 'before' | 'after' | 'during';
  readonly step: number;
  readonly prompt: string;
  readonly text: string;
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
  readonly trainable: number;
  readonly tokensPerSecond: number;
  readonly evalLoss: readonly { readonly step: number; readonly loss: number }[];
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
  | { readonly type: 'eval'; readonly step: number; readonly loss: number; readonly targets: number }
  | { readonly type: 'sample'; readonly sample: Sample }
  | { readonly type: 'checkpoint'; readonly step: number }
  | { readonly type: 'done'; readonly report: RunReport; readonly stopped: boolean }
  | {
      readonly type: 'failed';
      readonly error: ErrorInfo;
      /** Step of the last checkpoint, if there is one. */ readonly savedStep: number | null;
    };

export type Event =
  | { readonly type: 'opened'; readonly device: DeviceDescription }
  /** No run could be started, or the device could not be opened. */
  | { readonly type: 'refused'; readonly error: ErrorInfo }
  /** A checkpoint of an unfinished run is there to go on from. */
  | { readonly type: 'resumable'; readonly step: number; readonly steps: number; readonly config: RunConfig }
  | { readonly type: 'run'; readonly runId: string; readonly event: RunEvent }
  | { readonly type: 'exported'; readonly files: readonly { readonly name: string; readonly data: Uint8Array<ArrayBuffer> }[] };
