// The events of a small run, as a session reports them, without a GPU: for tests of code that keeps, shows and writes runs.
// Forecasts, schedule and blocks are the real ones of a tiny model; losses and times are made up.

import type { RunConfig } from '../config/run-config';
import { schedule } from '../lisa/schedule';
import { forecast } from '../plan/forecast';
import { planInput, scheduleConfig } from '../plan/input';
import { withTotal } from '../dispatch/memory';
import { RunPlan } from '../plan/run-plan';
import { blockBytes } from '../plan/block-bytes';
import type { Prepared, RunEvent, RunReport, StepMetrics } from '../train/events';
import { TINY, tinyConfig } from './tiny';

export interface RunEventsOptions {
  readonly config?: Partial<RunConfig>;
  /** First step of this process. */
  readonly firstStep?: number;
  /** Steps trained before the end; all by default. */
  readonly until?: number;
}

const SHAPE = TINY['tied Llama'];

export function preparedOf(config: RunConfig, firstStep = 1): Prepared {
  const of = (method: RunConfig['method']) => forecast(SHAPE, { ...config, method });
  const own = of(config.method);
  return {
    modelName: 'tiny',
    shape: SHAPE,
    parameters: 12_345,
    trainable: own.trainable,
    data: {
      name: 'rows.jsonl',
      format: 'chat',
      rows: 40,
      evalRows: 4,
      duplicates: 1,
      tokens: 900,
      targets: 300,
      truncated: 2,
      dropped: 0,
      perAnswer: 0,
      badRows: 0,
      unread: {},
      ending: { of: 'turn', token: { id: 2, text: '<|im_end|>' }, stopIds: [2] },
    },
    device: { vendor: 'google', architecture: 'swiftshader', description: 'SwiftShader', software: true },
    forecasts: { full: of('full'), lisa: of('lisa'), lora: of('lora') },
    schedule: config.method === 'lisa' ? schedule(scheduleConfig(SHAPE, config)) : [],
    blocks: blockBytes(new RunPlan(planInput(SHAPE, config))),
    firstStep,
  };
}

export function stepOf(prepared: Prepared, config: RunConfig, step: number): StepMetrics {
  const period = prepared.schedule[Math.floor((step - 1) / config.stepsPerPeriod)];
  return {
    step,
    loss: 4 / (1 + step / 10),
    lr: config.lr,
    gradNorm: 1 + step / 7,
    tokens: 50 + step,
    targets: 20,
    activeLayers: period ? period.layers : Array.from({ length: SHAPE.layers }, (_, i) => i),
    stepMs: 30 + step / 3,
    memory: withTotal(prepared.forecasts[config.method].bytes),
  };
}

function reportOf(prepared: Prepared, config: RunConfig, last: number): RunReport {
  const { forecasts, device, parameters, trainable } = prepared;
  return {
    method: config.method,
    device,
    kernels: 'matmul register, attention software (set 2)',
    schedule: prepared.schedule,
    memory: {
      forecast: withTotal(forecasts[config.method].bytes),
      peak: withTotal(forecasts[config.method].bytes),
      fullForecast: withTotal(forecasts.full.bytes),
      loraForecast: withTotal(forecasts.lora.bytes),
    },
    parameters,
    trainable,
    tokensPerSecond: 1234.5,
    updates: [],
    evalLoss: [
      { step: 0, loss: 4.5 },
      { step: last, loss: 3.25 },
    ],
  };
}

export const runConfig = (changes: Partial<RunConfig> = {}): RunConfig =>
  tinyConfig({ method: 'lisa', steps: 12, stepsPerPeriod: 3, lisaLayers: 1, saveEvery: 4, ...changes });

/** From 'prepared' to 'done', with a checkpoint every saveEvery steps; without an end if `until` is below the steps. */
export function runEvents({ config: changes, firstStep = 1, until }: RunEventsOptions = {}): { config: RunConfig; events: RunEvent[] } {
  const config = runConfig(changes);
  const prepared = preparedOf(config, firstStep);
  const last = until ?? config.steps;
  const events: RunEvent[] = [
    { type: 'phase', phase: 'loading', fraction: 0.5 },
    { type: 'prepared', prepared },
  ];
  if (firstStep === 1) {
    events.push({ type: 'eval', step: 0, loss: 4.5, targets: 80 });
    events.push({ type: 'sample', sample: { when: 'before', step: 0, prompt: 'Define: A', text: 'before it' } });
  }
  events.push({ type: 'phase', phase: 'training' });
  for (let step = firstStep; step <= last; step++) {
    const metrics = stepOf(prepared, config, step);
    events.push({ type: 'step', metrics });
    const period = Math.floor((step - 1) / config.stepsPerPeriod);
    if (config.method === 'lisa' && step % config.stepsPerPeriod === 0)
      events.push({ type: 'moved', step, period, layers: metrics.activeLayers.map((layer) => ({ layer, change: 0.001 * step })) });
    if (config.saveEvery !== null && config.saveEvery > 0 && step % config.saveEvery === 0) events.push({ type: 'checkpoint', step });
  }
  if (last === config.steps) {
    events.push({ type: 'eval', step: last, loss: 3.25, targets: 80 });
    events.push({ type: 'sample', sample: { when: 'after', step: last, prompt: 'Define: A', text: 'after it' } });
    events.push({ type: 'done', report: reportOf(prepared, config, last), stopped: false });
  }
  return { config, events };
}
