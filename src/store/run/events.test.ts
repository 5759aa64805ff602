import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DEFAULTS } from '../../config/run-config';
import { zeroBytes } from '../../dispatch/memory';
import type { RunEvent, StepMetrics } from '../../train/events';
import type { Event } from '../../worker/protocol';
import { route } from '../route';
import { useDeviceStore } from './device';
import { watchSteps } from './events';
import { onSteps, resetMetrics, runMetrics } from './metrics';
import { newRun, useRunStore } from './run';

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

let end = (): void => undefined;
beforeEach(() => void (end = watchSteps()));
afterEach(() => end());

describe('the live run', () => {
  const event = (runId: string, inner: RunEvent): Event => ({ type: 'run', runId, event: inner });

  it('draws steps ten times a second at most, and brings the step up to date before anything else', () => {
    vi.useFakeTimers();
    resetMetrics(5);
    useRunStore.setState({ run: newRun('a', DEFAULTS) });
    let notices = 0;
    const unheard = onSteps(() => notices++);
    for (let i = 1; i <= 50; i++) route(event('a', { type: 'step', metrics: step(i, 1) }));
    expect(notices).toBe(0);
    expect(useRunStore.getState().run?.step).toBe(0);
    vi.advanceTimersByTime(100);
    expect(notices).toBe(1);
    expect(useRunStore.getState().run?.step).toBe(50);
    route(event('a', { type: 'step', metrics: step(51, 1) }));
    route(event('a', { type: 'phase', phase: 'paused' }));
    expect(useRunStore.getState().run).toMatchObject({ step: 51, phase: 'paused' });
    unheard();
    vi.useRealTimers();
  });

  it('ignores the events of another run', () => {
    resetMetrics(5);
    useRunStore.setState({ run: newRun('b', DEFAULTS) });
    route(event('a', { type: 'step', metrics: step(1, 1) }));
    route(event('a', { type: 'phase', phase: 'training' }));
    expect(runMetrics().step.length).toBe(0);
    expect(useRunStore.getState().run?.phase).toBe('loading');
  });

  it('a lost device ends the run and leaves no device to start on', () => {
    useDeviceStore.setState({ device: { status: 'opening' } });
    useRunStore.setState({ run: newRun('a', DEFAULTS) });
    const error = { code: 'DEVICE_LOST', detail: 'd', remedy: 'r' } as const;
    route(event('a', { type: 'failed', error, savedStep: 3 }));
    expect(useRunStore.getState().run).toMatchObject({ phase: 'failed', savedStep: 3 });
    expect(useDeviceStore.getState().device).toEqual({ status: 'unavailable', error });
  });

  it('a refusal ends the live run; without a run it concerns the device', () => {
    const error = { code: 'INTERNAL', detail: 'd', remedy: 'r' } as const;
    useRunStore.setState({ run: newRun('b', DEFAULTS) });
    route({ type: 'refused', error });
    expect(useRunStore.getState().run).toMatchObject({ phase: 'failed', error });
    useRunStore.setState({ run: null });
    route({ type: 'refused', error });
    expect(useDeviceStore.getState().device).toEqual({ status: 'unavailable', error });
  });

  it('an export that fails says so where it was asked for: GGUF beside its choice, the model as a fault of the run', () => {
    const error = { code: 'TOKENIZER', detail: 'd', remedy: 'r' } as const;
    const run = newRun('b', DEFAULTS);
    useRunStore.setState({ run: { ...run, phase: 'done', exported: { ...run.exported, 'gguf-f16': 'asked', model: 'asked' } } });
    route({ type: 'exportFailed', what: 'gguf-f16', error });
    expect(useRunStore.getState().run).toMatchObject({ error: null, exported: { 'gguf-f16': error, 'gguf-f32': 'no', model: 'asked' } });
    route({ type: 'exportFailed', what: 'model', error });
    expect(useRunStore.getState().run).toMatchObject({ error, exported: { model: 'no' } });
  });
});
