import { expect, it } from 'vitest';
import { DEFAULTS } from '../config/run-config';
import { DEFAULT_LIMITS, type DeviceLimits } from '../dispatch/limits';
import type { ModelShape } from '../model/types';
import type { DeviceState } from '../store/run/device';
import type { SourcesState } from '../store/setup/sources';
import { useSourcesStore } from '../store/setup/sources';
import { LARGER_MODELS } from './known-models';
import { forecaster } from './preview/forecaster';
import { setupOf } from './setup-state';

const ready = (limits: Partial<DeviceLimits> = {}): DeviceState => ({
  status: 'ready',
  device: { vendor: 'v', architecture: 'a', description: 'd', software: false },
  limits: { ...DEFAULT_LIMITS, ...limits },
  features: [],
});
const sources: SourcesState = useSourcesStore.getInitialState();
const model = LARGER_MODELS[2];
const qwen = model.shape;
const local = (shape: ModelShape): SourcesState => {
  const facts = { shape, parameters: 1, dtypes: { f32: 1, f16: 0, bf16: 0 }, types: 'f32' as const, files: [], bytes: 4 };
  return { ...sources, modelKind: 'local', local: { name: 'q', files: [], facts, error: null } };
};

it('weighs the forecast against the budget and the device before a start', () => {
  const known = { budget: null, forecaster, data: 'ready' } as const;
  const fits = setupOf(DEFAULTS, sources, ready(), known);
  expect(fits).toMatchObject({ limit: null, verdict: null, start: { label: 'Start LISA', ready: true } });
  const total = fits.memory?.forecast?.total ?? 0;
  expect(setupOf(DEFAULTS, sources, ready(), { ...known, budget: total - 1 })).toMatchObject({
    verdict: 'exceeds',
    start: { label: 'Start LISA anyway', ready: true },
  });
  expect(setupOf(DEFAULTS, sources, ready(), { ...known, budget: total }).verdict).toBe('tight');
  // An embedding of 151,936 × 896 numbers is in several buffers; a matrix of a layer is in one, and every device grants 256 MiB.
  expect(setupOf(DEFAULTS, local(qwen), ready(), known).start.ready).toBe(true);
  const wide = local({ ...qwen, ff: 40_000 });
  const large = setupOf(DEFAULTS, wide, ready(), known);
  expect(large.limit).toMatchObject({ what: "its layer 0's gate_up", kind: 'buffer', bytes: 2 * 40_000 * 896 * 4 });
  expect(large.start).toEqual({ label: 'Too large for this device', ready: false, focus: 'model' });
  expect(setupOf(DEFAULTS, wide, ready({ maxBufferSize: 2 ** 31, maxStorageBufferBindingSize: 2 ** 31 }), known).start.ready).toBe(true);
});

it('starts without the forecaster too', () => {
  const setup = setupOf(DEFAULTS, sources, ready(), { budget: 1, forecaster: null, data: 'unknown' });
  expect(setup).toMatchObject({ memory: null, limit: null, verdict: null, start: { ready: true } });
});

it('remembers forecasts by what they depend on', () => {
  const first = forecaster.memory(model, DEFAULTS);
  expect(forecaster.memory(model, { ...DEFAULTS, lr: 1, steps: 7, evalEvery: 3, seed: 9 })).toBe(first);
  expect(forecaster.memory(model, { ...DEFAULTS, batchSize: 5 })).not.toBe(first);
  const frozen = { ...DEFAULTS, alwaysOn: { embedding: false, head: false, norm: true } };
  expect(forecaster.memory(model, { ...frozen, seed: 2 })).not.toBe(forecaster.memory(model, { ...frozen, seed: 3 }));
  expect(forecaster.memory(model, { ...DEFAULTS, lisaLayers: 99 }).error).toMatchObject({ code: 'CONFIG_INVALID' });
  expect(forecaster.stepFlops(model, { ...DEFAULTS, lisaLayers: 99 })).toBeNull();
  expect(forecaster.stepFlops(model, { ...DEFAULTS, gradAccum: 2 })! / forecaster.stepFlops(model, DEFAULTS)!).toBeCloseTo(2, 1);
});

it('forecasts weights as they are stored where they may lie so, and tells models apart by it', () => {
  const total = (weightStorage: 'f32' | 'stored', types: 'f32' | 'bf16', lisaLayers = 2): number =>
    forecaster.memory({ shape: qwen, types }, { ...DEFAULTS, weightStorage, lisaLayers }).forecast!.total;
  expect(total('stored', 'bf16')).toBeLessThan(total('f32', 'bf16'));
  expect(total('f32', 'bf16')).toBe(total('f32', 'f32'));
  expect(total('stored', 'f32')).toBe(total('f32', 'f32'));
  // Masters of all layers and packed copies of them would be more than plain f32.
  expect(total('stored', 'bf16', qwen.layers)).toBe(total('f32', 'bf16', qwen.layers));
});
