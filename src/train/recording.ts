// A run as a file: its events with their times, the steps in columns. Written once by `npm run record`, replayed by the
// page. Numbers of steps are rounded to the digits that matter in a chart or to a reader; bytes are exact. Pure.

import { configOf, withCurrentNames, type RunConfig } from '../config/run-config';
import { AppError } from '../base/errors';
import { completeShape } from '../model/older-shapes';
import type { RunEvent, StepMetrics } from './events';

export interface TimedEvent {
  /** Milliseconds since the start. */
  readonly at: number;
  readonly event: RunEvent;
}

export interface Recording {
  /** ISO 8601. */
  readonly recordedAt: string;
  readonly config: RunConfig;
  readonly events: readonly TimedEvent[];
}

const FORMAT = 'lisa-studio-recording';
const VERSION = 1;

/** Significant digits that are kept. */
const DIGITS = { loss: 5, lr: 5, gradNorm: 4, stepMs: 4, change: 4 } as const;
const round = (value: number, digits: number): number => Number(value.toPrecision(digits));

const COLUMNS = ['at', 'step', 'loss', 'lr', 'gradNorm', 'tokens', 'targets', 'stepMs', 'layers', 'memory'] as const;
type Columns = Record<(typeof COLUMNS)[number], number[]>;

/** `layers` and `memory` are indices into these lists, because most steps share them. */
interface RecordingFile {
  readonly format: string;
  readonly version: number;
  readonly recordedAt: string;
  readonly config: RunConfig;
  readonly layerSets: readonly (readonly number[])[];
  readonly memories: readonly StepMetrics['memory'][];
  readonly steps: Readonly<Columns>;
  /** [time, steps before it, event] */
  readonly events: readonly (readonly [number, number, RunEvent])[];
}

export function encodeRecording({ recordedAt, config, events }: Recording): string {
  const steps = Object.fromEntries(COLUMNS.map((name) => [name, [] as number[]])) as Columns;
  const layerSets = new Places<readonly number[]>();
  const memories = new Places<StepMetrics['memory']>();
  const others: (readonly [number, number, RunEvent])[] = [];
  for (const { at, event } of events) {
    if (event.type !== 'step') {
      others.push([Math.round(at), steps.step.length, rounded(event)]);
      continue;
    }
    const { metrics } = event;
    steps.at.push(Math.round(at));
    steps.step.push(metrics.step);
    steps.loss.push(round(metrics.loss, DIGITS.loss));
    steps.lr.push(round(metrics.lr, DIGITS.lr));
    steps.gradNorm.push(round(metrics.gradNorm, DIGITS.gradNorm));
    steps.tokens.push(metrics.tokens);
    steps.targets.push(metrics.targets);
    steps.stepMs.push(round(metrics.stepMs, DIGITS.stepMs));
    steps.layers.push(layerSets.of(metrics.activeLayers));
    steps.memory.push(memories.of(metrics.memory));
  }
  const file: RecordingFile = {
    format: FORMAT,
    version: VERSION,
    recordedAt,
    config,
    layerSets: layerSets.values,
    memories: memories.values,
    steps,
    events: others,
  };
  return `${JSON.stringify(file)}\n`;
}

/** Throws INTERNAL if the file has another form, since the project itself ships the only recording. */
export function decodeRecording(json: string): Recording {
  const file = JSON.parse(json) as RecordingFile;
  const sound = file.format === FORMAT && file.version === VERSION && COLUMNS.every((c) => file.steps[c].length === file.steps.step.length);
  if (!sound) throw new AppError('INTERNAL', 'The recorded run is not in the form that this page reads.', 'Reload the page.');
  const { steps } = file;
  const events: TimedEvent[] = [];
  let next = 0;
  const pushSteps = (before: number): void => {
    for (; next < before; next++) events.push({ at: steps.at[next], event: { type: 'step', metrics: stepAt(file, next) } });
  };
  for (const [at, stepsBefore, event] of file.events) {
    pushSteps(stepsBefore);
    events.push({ at, event: completed(event) });
  }
  pushSteps(steps.step.length);
  return { recordedAt: file.recordedAt, config: configOf(withCurrentNames(file.config)), events };
}

/** The run may have been recorded by an earlier version. */
const completed = (event: RunEvent): RunEvent =>
  event.type === 'prepared' ? { ...event, prepared: { ...event.prepared, shape: completeShape(event.prepared.shape) } } : event;

const stepAt = ({ steps, layerSets, memories }: RecordingFile, i: number): StepMetrics => ({
  step: steps.step[i],
  loss: steps.loss[i],
  lr: steps.lr[i],
  gradNorm: steps.gradNorm[i],
  tokens: steps.tokens[i],
  targets: steps.targets[i],
  activeLayers: layerSets[steps.layers[i]],
  stepMs: steps.stepMs[i],
  memory: memories[steps.memory[i]],
});

function rounded(event: RunEvent): RunEvent {
  if (event.type === 'phase' && event.fraction !== undefined) return { ...event, fraction: round(event.fraction, 2) };
  if (event.type === 'moved')
    return { ...event, layers: event.layers.map((move) => ({ ...move, change: round(move.change, DIGITS.change) })) };
  return event;
}

/** A list of distinct values that repeat. */
class Places<T> {
  readonly values: T[] = [];
  readonly #places = new Map<string, number>();

  of(value: T): number {
    const key = JSON.stringify(value);
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    this.#places.set(key, this.values.length);
    return this.values.push(value) - 1;
  }
}
