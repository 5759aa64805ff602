// Optimizer steps on given data, one at a time, without a session around them.

import type { RunConfig } from '../config/run-config';
import type { StepData } from '../data/batch/loader';
import type { Engine } from '../engine/engine';
import { LayerController } from '../lisa/controller';
import { turnsOf } from '../lisa/schedule';
import { scheduleConfig } from '../plan/input';
import type { StepStats } from '../shaders/loss/stats';
import { takeStep, type StepState } from '../train/step';

export interface Steps {
  readonly state: StepState;
  /** Takes a step on this data and waits for its figures. */
  take(data: StepData): Promise<StepStats>;
}

/** `draw`: LISA's layers by period, in place of the seeded ones. */
export function stepsOf(engine: Engine, config: RunConfig, draw?: (period: number) => readonly number[]): Steps {
  const turns = turnsOf(config, scheduleConfig(engine.plan.input.shape, config));
  const given: StepData[] = [];
  const state: StepState = {
    config,
    engine,
    loader: { nextStep: () => given.pop()! },
    turns: draw && config.method === 'lisa' ? { ...turns, layersOf: draw } : turns,
    controller: new LayerController(engine.plan.buffers.slots.length, config.lisaState === 'park', engine.plan.input.sampled),
    parked: new Map(),
    completed: 0,
  };
  return {
    state,
    async take(data) {
      given.push(data);
      return (await takeStep(state)).stats;
    },
  };
}
