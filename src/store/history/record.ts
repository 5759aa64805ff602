// A run as the history keeps it: a small summary for the list, and a record with everything that a run's panels show.
// Pure; storage.ts puts them into the browser's database.

import type { RunConfig } from '../../config/run-config';
import type { ErrorInfo } from '../../base/errors';
import type { Prepared, RunReport, Sample } from '../../train/events';
import { MovingAverage } from '../run/columns';
import { RunMetrics, type MetricsSnapshot } from '../run/metrics';
import { newRun, type EvalPoint, type Run } from '../run/run';

/** `unfinished`: the page was closed, or crashed, after the last checkpoint. */
export type RunStatus = 'done' | 'stopped' | 'failed' | 'unfinished';

export interface RunRecord {
  readonly runId: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly updatedAt: number;
  readonly status: RunStatus;
  readonly config: RunConfig;
  readonly prepared: Prepared;
  /** Last finished step. */
  readonly step: number;
  readonly savedStep: number | null;
  readonly evals: readonly EvalPoint[];
  readonly samples: readonly Sample[];
  readonly report: RunReport | null;
  readonly error: ErrorInfo | null;
  readonly metrics: MetricsSnapshot;
}

export interface RunSummary {
  readonly runId: string;
  readonly name: string;
  readonly startedAt: number;
  readonly status: RunStatus;
  readonly config: RunConfig;
  readonly step: number;
  /** Before training, and the last one; none where nothing was held out. */
  readonly firstEval: EvalPoint | null;
  readonly lastEval: EvalPoint | null;
  /** Measured over the whole run once it has ended, else the highest at the end of a step. */
  readonly peakBytes: number;
  readonly trainingMs: number;
  /** Size of the record: numbers as they are, the rest as JSON; about what the browser stores. Summaries of earlier versions lack it. */
  readonly bytes?: number;
  /** Smoothed loss at evenly spread steps, the last one last. */
  readonly spark: readonly number[];
}

const SPARK_POINTS = 48;

const statusOf = (run: Run): RunStatus =>
  run.phase === 'failed' ? 'failed' : run.phase !== 'done' ? 'unfinished' : run.stopped ? 'stopped' : 'done';

/** The run as it is now; null before its first step, when there is nothing to keep. */
export function recordOf(run: Run, metrics: RunMetrics, startedAt: number, now: number): RunRecord | null {
  if (!run.prepared || metrics.step.length === 0) return null;
  const { runId, config, prepared, savedStep, evals, samples, report, error } = run;
  return {
    runId,
    startedAt,
    updatedAt: now,
    status: statusOf(run),
    config,
    prepared,
    step: metrics.step.last,
    savedStep,
    evals,
    samples,
    report,
    error,
    metrics: metrics.snapshot(),
  };
}

export function summaryOf(record: RunRecord, name: string): RunSummary {
  const { runId, startedAt, status, config, step, evals } = record;
  const metrics = RunMetrics.restore(record.metrics);
  const firstEval = evals[0] ?? null;
  const lastEval = evals.length > 1 ? (evals.at(-1) ?? null) : null;
  return {
    runId,
    name,
    startedAt,
    status,
    config,
    step,
    firstEval,
    lastEval,
    peakBytes: record.report?.memory.peak.total ?? metrics.peak?.total ?? 0,
    trainingMs: metrics.stepMs.values().reduce((sum, ms) => sum + ms, 0),
    bytes: storedBytes(record),
    spark: sparkOf(metrics),
  };
}

function storedBytes(record: RunRecord): number {
  const { columns, ...metrics } = record.metrics;
  const numbers = Object.values(columns).reduce((sum, column) => sum + column.byteLength, 0);
  return numbers + JSON.stringify({ ...record, metrics }).length;
}

/** How much of the browser's storage the runs take. `whole`: the size of every run is known. */
export function roomTaken(runs: readonly RunSummary[]): { readonly bytes: number; readonly whole: boolean } {
  return {
    bytes: runs.reduce((sum, { bytes = 0 }) => sum + bytes, 0),
    whole: runs.every(({ bytes }) => bytes !== undefined),
  };
}

function sparkOf(metrics: RunMetrics): number[] {
  const smooth = new MovingAverage(metrics.loss).follow();
  const points = Math.min(SPARK_POINTS, smooth.length);
  return Array.from({ length: points }, (_, i) => Number(smooth.at(sparkIndex(i, points, smooth.length)).toPrecision(5)));
}

const sparkIndex = (i: number, points: number, length: number): number => (points < 2 ? 0 : Math.round((i * (length - 1)) / (points - 1)));

/** The record as a run for the panels. One that was never finished counts as ended: nothing can be asked of it. */
export function pastRun(record: RunRecord): Run {
  const { runId, config, prepared, step, savedStep, evals, samples, report, error, status } = record;
  const ended = { phase: status === 'done' || status === 'stopped' ? 'done' : 'failed', stopped: status === 'stopped' } as const;
  return { ...newRun(runId, config), ...ended, prepared, step, savedStep, evals, samples, report, error };
}

/** "LISA γ2 K5, 24 Nov 21:03" */
export function memorableName({ method, lisaLayers, stepsPerPeriod, loraRank }: RunConfig, startedAt: number): string {
  const what = { lisa: `LISA γ${lisaLayers} K${stepsPerPeriod}`, lora: `LoRA r${loraRank}`, full: 'Full' }[method];
  const date = new Date(startedAt);
  const day = date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });
  return `${what}, ${day} ${date.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })}`;
}

/** The numbers up to and including `lastStep`: the past of a run that resumes from a checkpoint. */
export function metricsUpTo(snapshot: MetricsSnapshot, lastStep: number): MetricsSnapshot {
  const { columns, periods, moves, memoryChanges, periodSteps } = snapshot;
  const after = columns.step.findIndex((step) => step > lastStep);
  const count = after < 0 ? columns.step.length : after;
  const cut = Object.entries(columns).map(([name, column]) => [name, column.slice(0, count)]);
  const kept = periods.filter((period) => period.firstStep <= lastStep);
  const last = kept.at(-1);
  if (last && last.lastStep > lastStep) kept[kept.length - 1] = { ...last, lastStep, lastLoss: columns.loss[count - 1] };
  return {
    periodSteps,
    columns: Object.fromEntries(cut) as MetricsSnapshot['columns'],
    periods: kept,
    // A period's moves are reported when it ends. If the checkpoint lies within a period, its moves are reported again.
    moves: moves.filter(({ period }) => periodSteps !== null && (period + 1) * periodSteps <= lastStep),
    memoryChanges: memoryChanges.filter(({ step }) => step <= lastStep),
  };
}

/** The run that was just prepared to resume at `firstStep`, with what its record holds about the earlier steps. */
export function continued(run: Run, record: RunRecord): { readonly run: Run; readonly metrics: MetricsSnapshot } | null {
  const { prepared } = run;
  if (!prepared) return null;
  const earlier = metricsUpTo(record.metrics, prepared.firstStep - 1);
  if (earlier.columns.step.length === 0) return null;
  const { firstStep } = prepared;
  return {
    run: {
      ...run,
      // Panels draw earlier steps from the schedule alone; with the record they draw them as they were.
      prepared: { ...prepared, firstStep: earlier.columns.step[0] },
      evals: [...record.evals.filter(({ step }) => step < firstStep), ...run.evals.filter(({ step }) => step >= firstStep)],
      samples: [...record.samples.filter(({ step }) => step < firstStep), ...run.samples.filter(({ step }) => step >= firstStep)],
    },
    metrics: earlier,
  };
}
