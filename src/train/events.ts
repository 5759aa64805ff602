// What a run reports while it trains and when it ends: plain data, the same for the page, the command line and the recording.

import type { ErrorInfo } from '../base/errors';
import type { ProfileUse } from '../config/importance';
import type { PolicyName } from '../config/policies';
import type { RunConfig } from '../config/run-config';
import type { DataSummary } from '../data/sample/dataset';
import type { DeviceDescription } from '../dispatch/limits';
import type { MemoryTotals } from '../dispatch/memory';
import type { PeriodWeights } from '../lisa/adaptive';
import type { BernoulliReport, Period } from '../lisa/schedule';
import type { Quantised } from '../dispatch/types';
import type { Dtype, ModelShape } from '../model/types';
import type { BlockBytes } from '../plan/block-bytes';
import type { Forecast } from '../plan/forecast';

/** By what importance a run draws its layers. */
export interface ImportanceReport extends ProfileUse {
  /** How likely each layer is to train in a period. */
  readonly expected: readonly number[];
  /** Layers that every period trains, because γ·p_l/Σp is 1 or more; the excess goes to the others. */
  readonly certain: readonly number[];
  /** Where the run measures importance itself: weights are then the last ones, and these those of its periods (some, in long runs). */
  readonly adapted?: { readonly by: 'gradients' | 'updates'; readonly history: readonly PeriodWeights[] };
}

/** What a run is doing. */
export type Phase = 'opening' | 'loading' | 'preparing' | 'evaluating' | 'sampling' | 'training' | 'paused' | 'saving' | 'done' | 'failed';

export interface StepMetrics {
  /** Counts from 1. */
  readonly step: number;
  /** Mean over the step's targets, before the step's update; natural log. */
  readonly loss: number;
  readonly lr: number;
  readonly gradNorm: number;
  /** Tokens that went through the model. */
  readonly tokens: number;
  /** Tokens that counted toward the loss. */
  readonly targets: number;
  readonly activeLayers: readonly number[];
  /** What trained beside them, of what is drawn like a layer. */
  readonly activeBlocks?: readonly PolicyName[];
  readonly stepMs: number;
  /** Live GPU bytes by category, and their sum. */
  readonly memory: MemoryTotals;
}

/** How far a layer moved in the period that ended at `step`: ‖W_after − W_before‖ / ‖W_before‖ (Frobenius, all its tensors). */
export interface LayerMove {
  readonly layer: number;
  readonly change: number;
}

/** How far the layers of a period moved during it. */
export interface PeriodUpdate {
  readonly period: number;
  readonly layers: readonly LayerMove[];
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
  /** The seeded schedule of the whole run (LISA; empty otherwise). Periods that will be drawn by what is measured have no layers yet. */
  readonly schedule: readonly Period[];
  readonly blocks: readonly BlockBytes[];
  /** How many rows of the vocabulary's matrices train, if only those of tokens in the data do, and how many there are. */
  readonly rows?: { readonly trained: number; readonly all: number };
  /** Matrices of a quantised base that stay in f32, because their rows are not whole groups. */
  readonly keptWider?: readonly string[];
  /** Absent where every layer is as likely as any other. */
  readonly importance?: ImportanceReport;
  /** First step of this process: 1, or the step after the checkpoint. */
  readonly firstStep: number;
}

export interface Sample {
  readonly when: 'before' | 'after' | 'during';
  readonly step: number;
  readonly prompt: string;
  readonly text: string;
  /** Tokens from the prompt's beginning that the model did not see: the prompt is longer than the room for it. */
  readonly leftOut?: number;
}

export interface HeldOut {
  readonly step: number;
  /** Mean over the held-out targets, in nats. */
  readonly loss: number;
  /** The loss of the exported model, whose weights have this type; absent for what the run computes with. */
  readonly weights?: Dtype;
}

/** What rounding the last layers in training back to their 16 bits does to the held-out loss. */
export interface Rounding {
  readonly layers: readonly number[];
  /** Loss with the f32 masters, and with the weights as they are stored and exported; null if nothing is held out. */
  readonly before: number | null;
  readonly after: number | null;
}

export interface RunReport {
  readonly method: RunConfig['method'];
  /** What was trained, and on what; older reports have neither. The fingerprint is that of the model before training. */
  readonly model?: { readonly name: string; readonly fingerprint: string; readonly layers: number };
  readonly data?: { readonly name: string; readonly rows: number };
  /** Optimizer steps that were taken; absent in older reports. */
  readonly steps?: number;
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
  readonly stored?: Readonly<Record<Dtype, number> & Partial<Record<Quantised, number>>>;
  /** Present only if layers were rounded at the end. */
  readonly rounding?: Rounding;
  readonly trainable: number;
  readonly tokensPerSecond: number;
  /** How often draws by tosses were corrected or drew nothing; absent for other samplers. */
  readonly bernoulli?: BernoulliReport;
  /** Absent where every layer is as likely as any other. */
  readonly importance?: ImportanceReport;
  /** Empty if updates were not measured. The last period may be incomplete. */
  readonly updates: readonly PeriodUpdate[];
  /** The last one is the loss of the exported weights, as far as that was measured. */
  readonly evalLoss: readonly HeldOut[];
}

export type RunEvent =
  | {
      readonly type: 'phase';
      readonly phase: Phase;
      readonly detail?: string;
      /** 0 to 1, if it is known. */ readonly fraction?: number;
    }
  | { readonly type: 'prepared'; readonly prepared: Prepared }
  | { readonly type: 'step'; readonly metrics: StepMetrics }
  | (HeldOut & { readonly type: 'eval'; readonly targets: number })
  | { readonly type: 'sample'; readonly sample: Sample }
  /** Layers that leave training after `step`, or that were training when the run ended. */
  | { readonly type: 'moved'; readonly step: number; readonly period: number; readonly layers: readonly LayerMove[] }
  /** A period begins that was drawn by these p_l, which the run has measured. */
  | { readonly type: 'importance'; readonly period: number; readonly layers: readonly number[]; readonly weights: readonly number[] }
  /** `frozen`: blocks of the model that are not in training; `changed`: those of them whose bits differ (none if all is well). */
  | { readonly type: 'verified'; readonly step: number; readonly frozen: readonly string[]; readonly changed: readonly string[] }
  /** At the end, before the last sample: layers that were in training are stored in 16 bits again. */
  | { readonly type: 'rounded'; readonly step: number; readonly rounding: Rounding }
  | { readonly type: 'checkpoint'; readonly step: number }
  /** A checkpoint could not be written. The run is unharmed and pauses, unless it is at its end. */
  | { readonly type: 'saveFailed'; readonly step: number; readonly error: ErrorInfo }
  | { readonly type: 'done'; readonly report: RunReport; readonly stopped: boolean }
  | {
      readonly type: 'failed';
      readonly error: ErrorInfo;
      /** Step of the last checkpoint, if there is one. */ readonly savedStep: number | null;
      /** The weights after this step are sound, and the run can still end there; absent if it cannot. */ readonly lastGood?: number;
    };
