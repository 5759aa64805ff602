// The live run, or the last one: everything but its per-step numbers (metrics.ts). `reduceRun` is
// the only place where events change it.

import { create } from 'zustand';
import type { RunConfig } from '../../config/run-config';
import { unreachable, type ErrorInfo } from '../../base/errors';
import type { PeriodWeights } from '../../lisa/adaptive';
import type { ExportKind } from '../../worker/protocol';
import type { Phase, Prepared, RunEvent, RunReport, Sample } from '../../train/events';
import type { Download } from './download';

export interface EvalPoint {
  readonly step: number;
  readonly loss: number;
}

/** What became of an export: links, or why there are none. */
export type Exported = 'no' | 'asked' | Download | ErrorInfo;
export const isDownload = (exported: Exported): exported is Download => typeof exported === 'object' && 'links' in exported;
export const isRefusal = (exported: Exported): exported is ErrorInfo => typeof exported === 'object' && 'code' in exported;
export type Asked = 'pause' | 'continue' | 'step' | 'stop' | 'save' | 'verify';

export interface Run {
  readonly runId: string;
  /** The configuration at the start; the form may have changed since. */
  readonly config: RunConfig;
  readonly phase: Phase;
  readonly detail: string;
  /** 0 to 1, where the phase knows it. */
  readonly fraction: number | null;
  readonly prepared: Prepared | null;
  /** Last finished step. */
  readonly step: number;
  readonly evals: readonly EvalPoint[];
  readonly samples: readonly Sample[];
  /** p_l of the periods so far, where the run measures them; of a long run, some. */
  readonly importance: readonly PeriodWeights[];
  readonly savedStep: number | null;
  /** Why the last checkpoint could not be written; null after one that could. */
  readonly saveError: ErrorInfo | null;
  /** The last answer to "are the frozen layers unchanged?". */
  readonly verified: Extract<RunEvent, { type: 'verified' }> | null;
  readonly report: RunReport | null;
  readonly stopped: boolean;
  readonly error: ErrorInfo | null;
  /** The step that a failed run can still end at; null if there is none. */
  readonly lastGood: number | null;
  /** What the person asked for and the worker has not answered yet. */
  readonly asked: Asked | null;
  /** It ended before this page was loaded: its model is opened from the storage once something is asked of it. */
  readonly adopted: boolean;
  readonly exported: Readonly<Record<ExportKind, Exported>>;
}

export const newRun = (runId: string, config: RunConfig): Run => ({
  runId,
  config,
  phase: 'loading',
  detail: '',
  fraction: null,
  prepared: null,
  step: 0,
  evals: [],
  samples: [],
  importance: [],
  savedStep: null,
  saveError: null,
  verified: null,
  report: null,
  stopped: false,
  error: null,
  lastGood: null,
  asked: null,
  adopted: false,
  exported: { model: 'no', delta: 'no', 'gguf-f32': 'no', 'gguf-f16': 'no', 'gguf-q8_0': 'no' },
});

/** Held-out loss of the exported model, in nats, where it is not the model that the run computed with; null if it was not measured. */
export const exportedLoss = ({ report }: Run): number | null => report?.evalLoss.findLast(({ weights }) => weights)?.loss ?? null;

export const isActive = (run: Run | null): boolean => run !== null && run.phase !== 'done' && run.phase !== 'failed';

/** The run after an event of its own. A run that has ended takes no more events. */
export function reduceRun(run: Run, event: RunEvent): Run {
  if (!isActive(run)) return run;
  switch (event.type) {
    case 'phase':
      return {
        ...run,
        phase: event.phase,
        detail: event.detail ?? '',
        fraction: event.fraction ?? null,
        asked: stillAsked(run, event.phase),
      };
    case 'prepared':
      return {
        ...run,
        prepared: event.prepared,
        step: event.prepared.firstStep - 1,
        // A resumed run starts at its checkpoint.
        savedStep: event.prepared.firstStep > 1 ? event.prepared.firstStep - 1 : run.savedStep,
      };
    case 'step':
      return { ...run, step: event.metrics.step };
    case 'eval':
      // The loss of the exported model is not a point of the run's curve; the report has it.
      return event.weights ? run : { ...run, evals: [...run.evals, { step: event.step, loss: event.loss }] };
    case 'sample':
      return { ...run, samples: [...run.samples, event.sample] };
    case 'checkpoint':
      return { ...run, savedStep: event.step, saveError: null, asked: run.asked === 'save' ? null : run.asked };
    case 'saveFailed':
      return { ...run, saveError: event.error, asked: run.asked === 'save' ? null : run.asked };
    case 'moved':
      return run; // a column of the metrics
    case 'importance':
      return { ...run, importance: [...thinned(run.importance), { period: event.period, weights: event.weights }] };
    case 'rounded': {
      // What is compared and exported is the rounded model: its loss is the last one, as in the report.
      const { after } = event.rounding;
      return after === null ? run : { ...run, evals: [...run.evals.slice(0, -1), { step: event.step, loss: after }] };
    }
    case 'verified':
      return { ...run, verified: event, asked: run.asked === 'verify' ? null : run.asked };
    case 'done':
      return { ...run, phase: 'done', detail: '', fraction: null, report: event.report, stopped: event.stopped, asked: null };
    case 'failed':
      return {
        ...run,
        phase: 'failed',
        detail: '',
        fraction: null,
        error: event.error,
        savedStep: event.savedStep ?? run.savedStep,
        lastGood: event.lastGood ?? null,
        asked: null,
      };
    default:
      return unreachable(event);
  }
}

const MOST_IMPORTANCE = 400;

/** Every second one, once there are too many. */
const thinned = (list: Run['importance']): Run['importance'] =>
  list.length < MOST_IMPORTANCE ? list : list.filter((_, at) => at % 2 === 0);

function stillAsked(run: Run, phase: Phase): Run['asked'] {
  if (run.asked === 'stop') return 'stop';
  if (run.asked === 'pause') return phase === 'paused' ? null : 'pause';
  if (run.asked === 'save' || run.asked === 'verify') return run.asked;
  return null;
}

export interface RunStore {
  readonly run: Run | null;
  readonly view: View;
}

/** Screens. `replay` shows the recorded run, `history` the past ones. */
export const VIEWS = ['setup', 'run', 'compare', 'history', 'replay'] as const;
export type View = (typeof VIEWS)[number];

export const useRunStore = create<RunStore>(() => ({ run: null, view: 'setup' }));

export const patchRun = (patch: Partial<Run>): void => useRunStore.setState(({ run }) => (run ? { run: { ...run, ...patch } } : {}));

export function patchExport(what: ExportKind, value: Exported): void {
  const { run } = useRunStore.getState();
  if (run) patchRun({ exported: { ...run.exported, [what]: value } });
}

export const setView = (view: RunStore['view']): void => useRunStore.setState({ view });
