// A prepared run of a real shape, for tests: everything that a picture needs comes from its plan, as in the worker.

import { DEFAULTS, type RunConfig } from '../config/run-config';
import { schedule } from '../lisa/schedule';
import { forecast } from '../plan/forecast';
import { planInput, scheduleConfig } from '../plan/input';
import { RunPlan } from '../plan/run-plan';
import { newRun, type Run } from '../store/run/run';
import { SHAPES, type ShapeName } from './shapes';
import { blockBytes } from '../plan/block-bytes';
import type { Prepared } from '../train/events';

export interface PreparedCase {
  readonly config: RunConfig;
  readonly prepared: Prepared;
  readonly run: (patch: Partial<Run>) => Run;
}

export function preparedCase(name: ShapeName, patch: Partial<RunConfig> = {}): PreparedCase {
  const shape = SHAPES[name];
  const config: RunConfig = { ...DEFAULTS, seqLen: 16, batchSize: 1, ...patch };
  const of = (method: RunConfig['method']) => forecast(shape, { ...config, method });
  const prepared: Prepared = {
    modelName: name,
    shape,
    parameters: 0,
    trainable: 0,
    data: {
      name: '',
      format: '',
      rows: 0,
      evalRows: 0,
      duplicates: 0,
      tokens: 0,
      targets: 0,
      truncated: 0,
      dropped: 0,
      perAnswer: 0,
      badRows: 0,
      unread: {},
      ending: { of: 'nothing', token: null, stopIds: [] },
    },
    device: { vendor: '', architecture: '', description: '', software: true },
    forecasts: { full: of('full'), lisa: of('lisa'), lora: of('lora') },
    schedule: config.method === 'lisa' ? schedule(scheduleConfig(shape, config)) : [],
    blocks: blockBytes(new RunPlan(planInput(shape, config))),
    firstStep: 1,
  };
  return { config, prepared, run: (more) => ({ ...newRun('a', config), phase: 'training', prepared, ...more }) };
}
