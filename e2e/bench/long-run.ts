// A run of any length for the benchmark of the page: the steps of a recorded run, repeated under new step numbers. The
// cost of a chart depends on how many points it has; none of this is ever shown as a real run.

import type { RunConfig } from '../../src/config/run-config';
import { RunMetrics } from '../../src/store/run/metrics';
import type { EvalPoint, Run } from '../../src/store/run/run';
import { newRun } from '../../src/store/run/run';
import type { Recording } from '../../src/train/recording';
import type { Period } from '../../src/lisa/schedule';
import type { Prepared, StepMetrics, LayerMove } from '../../src/train/events';

interface Recorded {
  readonly config: RunConfig;
  readonly prepared: Prepared;
  readonly steps: readonly StepMetrics[];
  readonly evals: readonly EvalPoint[];
  /** By period. */
  readonly moves: readonly (readonly LayerMove[])[];
}

function recordedOf({ config, events }: Recording): Recorded {
  const inner = events.map(({ event }) => event);
  const prepared = inner.find((event) => event.type === 'prepared')?.prepared;
  if (!prepared || config.method !== 'lisa') throw new Error('The recording has no LISA run.');
  // Whole periods only: a part of one would shift all that follow.
  const whole = config.steps - (config.steps % config.stepsPerPeriod);
  const moves: LayerMove[][] = [];
  for (const event of inner) if (event.type === 'moved') (moves[event.period] ??= []).push(...event.layers);
  return {
    config,
    prepared,
    steps: inner.flatMap((event) => (event.type === 'step' && event.metrics.step <= whole ? [event.metrics] : [])),
    evals: inner.flatMap((event) => (event.type === 'eval' && event.step < whole ? [{ step: event.step, loss: event.loss }] : [])),
    moves,
  };
}

export class LongRun {
  readonly metrics: RunMetrics;
  readonly #recorded: Recorded;
  readonly #run: Run;
  #evals: readonly EvalPoint[] = [];

  /** steps: of the whole run; none of them is done at first. */
  constructor(recording: Recording, steps: number) {
    this.#recorded = recordedOf(recording);
    const { config, prepared } = this.#recorded;
    const periods = Math.ceil(steps / config.stepsPerPeriod);
    const schedule: Period[] = Array.from({ length: periods }, (_, period) => ({
      period,
      firstStep: period * config.stepsPerPeriod + 1,
      layers: prepared.schedule[period % prepared.schedule.length].layers,
    }));
    this.metrics = new RunMetrics(config.stepsPerPeriod);
    const run = newRun('bench', { ...config, steps });
    this.#run = { ...run, phase: 'training', prepared: { ...prepared, schedule, firstStep: 1 } };
  }

  /** The next steps, and the moves of the periods that they end. */
  advance(count: number): void {
    const { steps, moves, config } = this.#recorded;
    for (let i = 0; i < count; i++) {
      const done = this.metrics.step.length;
      this.metrics.push({ ...steps[done % steps.length], step: done + 1 });
      if ((done + 1) % config.stepsPerPeriod !== 0) continue;
      const period = Math.floor(done / config.stepsPerPeriod);
      const layers = moves[period % Math.max(1, steps.length / config.stepsPerPeriod)];
      if (layers) this.metrics.noteMoved(period, layers);
    }
  }

  /** As the page would hold it now: a new list of evaluations when there is a new one, and only then. */
  run(): Run {
    const { evals, steps } = this.#recorded;
    const step = this.metrics.step.length;
    const rounds = Math.floor(step / steps.length);
    const known = evals.filter((point) => point.step <= step - rounds * steps.length).length + rounds * evals.length;
    while (this.#evals.length < known) {
      const next = this.#evals.length;
      const { step: at, loss } = evals[next % evals.length];
      this.#evals = [...this.#evals, { step: Math.floor(next / evals.length) * steps.length + at, loss }];
    }
    return { ...this.#run, step, evals: this.#evals };
  }
}
