import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { METHOD_LR } from '../../config/run-config';
import { useOf, writeProfile } from '../../lisa/profile';
import { importanceProfile } from '../../testing/importance';
import { runConfig } from '../../testing/run-events';
import type { Command } from '../../worker/protocol';
import { newRun, useRunStore } from '../run/run';
import { setConfig, useConfigStore } from './config';
import {
  cancelMeasurement,
  drawBy,
  drawEqually,
  measure,
  openProfile,
  probeConfig,
  takeMeasurement,
  useImportanceStore,
  watchImportance,
} from './importance';

const { sent } = vi.hoisted(() => {
  // Files share their modules: an earlier one may have the real link already.
  vi.resetModules();
  return { sent: [] as Command[] };
});
vi.mock('../link', () => ({ send: (command: Command) => sent.push(command) }));

const idOf = (at = -1): number => (sent.at(at) as Extract<Command, { type: 'measure' }>).id;
const state = () => useImportanceStore.getState();
const settings = () => useConfigStore.getState().config;
const PROFILE = importanceProfile();

let stop = (): void => undefined;
beforeEach(() => {
  sent.length = 0;
  useConfigStore.setState(useConfigStore.getInitialState(), true);
  useRunStore.setState(useRunStore.getInitialState(), true);
  stop = watchImportance();
});
afterEach(() => stop());

it('measures LoRA with its own rate, whatever the run is set to, and draws by what was measured', () => {
  setConfig({ lr: 1e-5, steps: 500, batchSize: 2, lisaSampler: 'cycle', lisaAdapt: 'gradients', lisaWeights: [1, 2] });
  measure(12);
  expect(state().status).toBe('measuring');
  const { config } = sent[0] as Extract<Command, { type: 'measure' }>;
  expect(config).toMatchObject({
    method: 'lora',
    steps: 12,
    lr: METHOD_LR.lora,
    warmup: 1,
    batchSize: 2,
    lisaAdapt: 'off',
    lisaWeights: null,
  });
  takeMeasurement({ type: 'measuring', id: idOf(), progress: { phase: 'lora', done: 3, of: 12, loss: 2 } });
  expect(state().progress).toMatchObject({ done: 3 });
  takeMeasurement({ type: 'measured', id: idOf(), profile: PROFILE });
  expect(state()).toEqual({ status: 'idle', progress: null, profile: PROFILE, error: null });
  expect(settings()).toMatchObject({ lisaProfile: useOf(PROFILE), lisaWeights: null, lisaSampler: 'weighted' });
  drawEqually();
  // What the run measures itself still needs a sampler that looks at it.
  expect(settings()).toMatchObject({ lisaProfile: null, lisaSampler: 'weighted', lisaAdapt: 'gradients' });
  setConfig({ lisaAdapt: 'off' });
  drawBy(PROFILE);
  drawEqually();
  expect(settings()).toMatchObject({ lisaProfile: null, lisaSampler: 'uniform' });
  expect(probeConfig(runConfig(), 30).warmup).toBe(3);
});

it('a sampler that looks at importance stays', () => {
  setConfig({ lisaSampler: 'algorithm1' });
  drawBy(PROFILE);
  expect(settings().lisaSampler).toBe('algorithm1');
});

it('answers to an earlier question, or after it was cancelled, change nothing; the last profile stays', () => {
  measure(3);
  takeMeasurement({ type: 'measured', id: idOf(), profile: PROFILE });
  measure(3);
  const old = idOf();
  measure(4);
  takeMeasurement({ type: 'measureFailed', id: old, error: { code: 'INTERNAL', detail: 'd', remedy: 'r' } });
  expect(state()).toMatchObject({ status: 'measuring', error: null });
  const id = idOf();
  cancelMeasurement();
  expect(sent.at(-1)).toEqual({ type: 'cancelMeasure' });
  takeMeasurement({ type: 'measured', id, profile: importanceProfile({ weights: [1, 1, 1] }) });
  expect(state()).toEqual({ status: 'idle', progress: null, profile: PROFILE, error: null });
});

it('a run that starts ends the measurement', () => {
  measure(3);
  useRunStore.setState({ run: newRun('a', runConfig()), view: 'run' });
  expect(state().status).toBe('idle');
});

it('opens a profile as a whole, or says why not and keeps the last', async () => {
  await openProfile(new File([writeProfile(PROFILE)], 'p.json'));
  expect(state().profile).toEqual(PROFILE);
  expect(settings().lisaProfile).toEqual(useOf(PROFILE));
  await openProfile(new File(['{"format":"lisa-studio importance"}'], 'bad.json'));
  expect(state()).toMatchObject({ status: 'failed', profile: PROFILE, error: { code: 'CONFIG_INVALID' } });
  expect(state().error?.detail).toContain('bad.json');
});
