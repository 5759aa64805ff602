import { describe, expect, it, vi } from 'vitest';
import { DEFAULTS, METHOD_LR } from '../config/run-config';
import { zeroBytes } from '../dispatch/memory';
import type { Event } from '../worker/protocol';
import type { RunEvent, StepMetrics } from '../train/events';
import { Column, EMA_DECAY, MovingAverage } from './run/columns';
import { applyPatch } from './setup/config';
import { useDeviceStore } from './run/device';
import { groupBytes, onSteps, resetMetrics, runMetrics, RunMetrics } from './run/metrics';
import { isActive, newRun, reduceRun, useRunStore } from './run/run';
import { receive } from './run/trainer';

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

describe('settings', () => {
  const fresh = { config: DEFAULTS, touched: new Set<never>() };

  it('untouched options follow: learning rate the method, warm-up the steps', () => {
    const lora = applyPatch(fresh, { method: 'lora' });
    expect(lora.config.lr).toBe(METHOD_LR.lora);
    const short = applyPatch(fresh, { steps: 6 });
    expect(short.config.warmup).toBe(0);
    expect(applyPatch(short, { steps: 5000 }).config.warmup).toBe(DEFAULTS.warmup);
  });

  it('touched options stay', () => {
    const own = applyPatch(applyPatch(fresh, { lr: 0.1, warmup: 3 }), { method: 'full', steps: 50 });
    expect(own.config).toMatchObject({ lr: 0.1, warmup: 3, method: 'full', steps: 50 });
  });

  it('a step count that is no number leaves the warm-up alone', () => {
    expect(applyPatch(fresh, { steps: NaN }).config.warmup).toBe(DEFAULTS.warmup);
  });
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

describe('RunMetrics', () => {
  it('columns grow past their first block', () => {
    const column = new Column();
    for (let i = 0; i < 1000; i++) column.push(i);
    expect(column.length).toBe(1000);
    expect(column.last).toBe(999);
    expect(column.at(1000)).toBeNaN();
    expect(column.values()).toEqual(Float64Array.from({ length: 1000 }, (_, i) => i));
  });

  it('the moving average is debiased, follows its column, and ignores what is no number', () => {
    const loss = new Column([4]);
    const average = new MovingAverage(loss);
    expect(average.follow().last).toBeCloseTo(4, 12);
    loss.push(2);
    expect(average.follow().last).toBeCloseTo((EMA_DECAY * 4 + 2) / (EMA_DECAY + 1), 12);
    const before = average.column.last;
    loss.push(NaN);
    expect(average.follow().last).toBe(before);
    for (let i = 3; i < 400; i++) loss.push(2);
    expect(average.follow().last).toBeCloseTo(2, 6);
    expect(average.column.length).toBe(loss.length);
    expect([...new MovingAverage(loss, 0).follow().values()].slice(0, 2)).toEqual([4, 2]);
  });

  it('notes periods as they were trained, and the peak', () => {
    const metrics = new RunMetrics(2);
    metrics.push(step(1, 4, [3, 1], 100));
    metrics.push(step(2, 3, [3, 1], 300));
    metrics.push(step(3, 2, [0, 1], 200));
    expect(metrics.periods).toEqual([
      { period: 0, firstStep: 1, lastStep: 2, layers: [3, 1], firstLoss: 4, lastLoss: 3 },
      { period: 1, firstStep: 3, lastStep: 3, layers: [0, 1], firstLoss: 2, lastLoss: 2 },
    ]);
    expect(metrics.peak?.total).toBe(300);
    const full = new RunMetrics(null);
    full.push(step(1, 4));
    expect(full.periods).toEqual([]);
  });

  it('comes back from a snapshot as it was, and goes on from there', () => {
    const metrics = new RunMetrics(2);
    for (let i = 1; i <= 300; i++) metrics.push(step(i, 1 / i, [i % 4], 100 + (i % 7)));
    metrics.noteMoved(0, [{ layer: 1, change: 0.01 }]);
    metrics.noteMoved(0, [{ layer: 2, change: 0.02 }]);
    const back = RunMetrics.restore(structuredClone(metrics.snapshot()));
    expect(back.snapshot()).toEqual(metrics.snapshot());
    expect(back.peak).toEqual(metrics.peak);
    expect(back.moved).toEqual(metrics.moved);
    const kept = metrics.snapshot();
    for (const each of [metrics, back]) each.push(step(301, 0.5, [3], 200));
    expect(back.snapshot()).toEqual(metrics.snapshot());
    expect(back.peak?.total).toBe(200);
    expect(kept.columns.step).toHaveLength(300);
  });

  it('groups lose no byte', () => {
    const bytes = Object.fromEntries(Object.keys(zeroBytes()).map((name, i) => [name, 10 ** i])) as ReturnType<typeof zeroBytes>;
    const groups = groupBytes(bytes);
    expect(Object.values(groups).reduce((a, b) => a + b, 0)).toBe(Object.values(bytes).reduce((a, b) => a + b, 0));
    expect(groups.weights).toBe(bytes.weights + bytes.masters);
  });
});

describe('receive', () => {
  const event = (runId: string, inner: RunEvent): Event => ({ type: 'run', runId, event: inner });

  it('draws steps ten times a second at most, and brings the step up to date before anything else', () => {
    vi.useFakeTimers();
    resetMetrics(5);
    useRunStore.setState({ run: newRun('a', DEFAULTS) });
    let notices = 0;
    const end = onSteps(() => notices++);
    for (let i = 1; i <= 50; i++) receive(event('a', { type: 'step', metrics: step(i, 1) }));
    expect(notices).toBe(0);
    expect(useRunStore.getState().run?.step).toBe(0);
    vi.advanceTimersByTime(100);
    expect(notices).toBe(1);
    expect(useRunStore.getState().run?.step).toBe(50);
    receive(event('a', { type: 'step', metrics: step(51, 1) }));
    receive(event('a', { type: 'phase', phase: 'paused' }));
    expect(useRunStore.getState().run).toMatchObject({ step: 51, phase: 'paused' });
    end();
    vi.useRealTimers();
  });

  it('ignores the events of another run', () => {
    resetMetrics(5);
    useRunStore.setState({ run: newRun('b', DEFAULTS) });
    receive(event('a', { type: 'step', metrics: step(1, 1) }));
    receive(event('a', { type: 'phase', phase: 'training' }));
    expect(runMetrics().step.length).toBe(0);
    expect(useRunStore.getState().run?.phase).toBe('loading');
  });

  it('a lost device ends the run and leaves no device to start on', () => {
    useDeviceStore.setState({ device: { status: 'opening' } });
    useRunStore.setState({ run: newRun('a', DEFAULTS) });
    const error = { code: 'DEVICE_LOST', detail: 'd', remedy: 'r' } as const;
    receive(event('a', { type: 'failed', error, savedStep: 3 }));
    expect(useRunStore.getState().run).toMatchObject({ phase: 'failed', savedStep: 3 });
    expect(useDeviceStore.getState().device).toEqual({ status: 'unavailable', error });
  });

  it('a refusal ends the run that goes on; without one it is the device', () => {
    const error = { code: 'INTERNAL', detail: 'd', remedy: 'r' } as const;
    useRunStore.setState({ run: newRun('b', DEFAULTS) });
    receive({ type: 'refused', error });
    expect(useRunStore.getState().run).toMatchObject({ phase: 'failed', error });
    useRunStore.setState({ run: null });
    receive({ type: 'refused', error });
    expect(useDeviceStore.getState().device).toEqual({ status: 'unavailable', error });
  });

  it('an export that fails says so where it was asked for: GGUF beside its choice, the model as a fault of the run', () => {
    const error = { code: 'TOKENIZER', detail: 'd', remedy: 'r' } as const;
    const run = newRun('b', DEFAULTS);
    useRunStore.setState({ run: { ...run, phase: 'done', exported: { ...run.exported, 'gguf-f16': 'asked', model: 'asked' } } });
    receive({ type: 'exportFailed', what: 'gguf-f16', error });
    expect(useRunStore.getState().run).toMatchObject({ error: null, exported: { 'gguf-f16': error, 'gguf-f32': 'no', model: 'asked' } });
    receive({ type: 'exportFailed', what: 'model', error });
    expect(useRunStore.getState().run).toMatchObject({ error, exported: { model: 'no' } });
  });
});
