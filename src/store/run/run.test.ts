import { describe, expect, it } from 'vitest';
import { DEFAULTS } from '../../config/run-config';
import { zeroBytes } from '../../dispatch/memory';
import type { StepMetrics } from '../../train/events';
import { isActive, newRun, reduceRun } from './run';

const step = (at: number, loss: number, activeLayers: number[] = [0], total = 100): StepMetrics => ({
  step: at,
  loss,
  lr: 1e-3,
  gradNorm: 1,
  tokens: 10,
  targets: 5,
  activeLayers,
  stepMs: 20,
  memory: { ...zeroBytes(), weights: total, total },
});

describe('reduceRun', () => {
  const run = newRun('a', DEFAULTS);

  it('follows the events of a run', () => {
    let state = reduceRun(run, { type: 'phase', phase: 'loading', detail: 'weights', fraction: 0.5 });
    expect(state).toMatchObject({ phase: 'loading', detail: 'weights', fraction: 0.5 });
    state = reduceRun(state, { type: 'eval', step: 0, loss: 3.5, targets: 10 });
    state = reduceRun(state, { type: 'rounded', step: 0, rounding: { layers: [1], before: 3.5, after: 3 } });
    state = reduceRun(state, { type: 'phase', phase: 'training' });
    state = reduceRun(state, { type: 'step', metrics: step(1, 3) });
    state = reduceRun(state, { type: 'checkpoint', step: 1 });
    expect(state).toMatchObject({ phase: 'training', fraction: null, step: 1, savedStep: 1, evals: [{ step: 0, loss: 3 }] });
    const failed = reduceRun(state, { type: 'failed', error: { code: 'GPU_OOM', detail: 'd', remedy: 'r' }, savedStep: null });
    expect(failed).toMatchObject({ phase: 'failed', savedStep: 1 });
    expect(isActive(failed)).toBe(false);
    const exported = reduceRun(state, { type: 'eval', step: 1, loss: 2.5, targets: 10, weights: 'f32' });
    expect(exported.evals, 'the exported model is not a point of the run').toEqual(state.evals);
    expect(reduceRun(failed, { type: 'phase', phase: 'training' })).toBe(failed);
  });

  it('keeps a pause request until the run is paused, and a stop request to the end', () => {
    const asked = { ...run, phase: 'training', asked: 'pause' } as const;
    expect(reduceRun(asked, { type: 'phase', phase: 'evaluating' }).asked).toBe('pause');
    expect(reduceRun(asked, { type: 'phase', phase: 'paused' }).asked).toBeNull();
    expect(reduceRun({ ...asked, asked: 'stop' }, { type: 'phase', phase: 'saving' }).asked).toBe('stop');
    expect(reduceRun({ ...asked, asked: 'step' }, { type: 'phase', phase: 'training' }).asked).toBeNull();
  });
});
