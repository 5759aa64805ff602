// The run that goes on, or the last one: everything but its per-step numbers (metrics.ts). `reduceRun` is
// the only place where events change it.

import { create } from 'zustand';
import type { RunConfig } from '../config';
import { unreachable, type ErrorInfo } from '../errors';
import type { Phase, Prepared, RunEvent, RunReport, Sample } from '../train/protocol';
import type { Download } from './download';

export interface EvalPoint {
  readonly step: number;
  readonly loss: number;
}

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
  readonly savedStep: number | null;
  readonly report: RunReport | null;
  readonly stopped: boolean;
  readonly error: ErrorInfo | null;
  /** What the person asked for and the worker has not answered yet. */
  readonly asked: 'pause' | 'continue' | 'step' | 'stop' | null;
  readonly exported: 'no' | 'asked' | Download;
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
  savedStep: null,
  report: null,
  stopped: false,
  error: null,
  asked: null,
  exported: 'no',
});

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
      return { ...run, prepared: event.prepared, step: event.prepared.firstStep - 1 };
    case 'step':
      return { ...run, step: event.metrics.step };
    case 'eval':
      return { ...run, evals: [...run.evals, { step: event.step, loss: event.loss }] };
    case 'sample':
      return { ...run, samples: [...run.samples, event.sample] };
    case 'checkpoint':
      return { ...run, savedStep: event.step };
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
        asked: null,
      };
    default:
      return unreachable(event);
  }
}

function stillAsked(run: Run, phase: Phase): Run['asked'] {
  if (run.asked === 'stop') return 'stop';
  if (run.asked === 'pause') return phase === 'paused' ? null : 'pause';
  return null;
}

export interface RunStore {
  readonly run: Run | null;
  /** Which side of the page is shown: the form, or the run. */
  readonly view: 'setup' | 'run';
}

export const useRunStore = create<RunStore>(() => ({ run: null, view: 'setup' }));

export const patchRun = (patch: Partial<Run>): void => useRunStore.setState(({ run }) => (run ? { run: { ...run, ...patch } } : {}));

export const setView = (view: RunStore['view']): void => useRunStore.setState({ view });
