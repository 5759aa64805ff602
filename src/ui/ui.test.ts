import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DEFAULTS } from '../config/run-config';
import { DEFAULT_LIMITS } from '../dispatch/limits';
import { parseModelConfig } from '../model/config';
import { Column } from '../store/run/columns';
import { newRun } from '../store/run/run';
import { announcement, tabTitle, verifiedSentence } from './announce';
import { BUILTIN } from './known-models';
import { deviceLine } from './Header';
import { forecastReceipt, measuredReceipt } from './receipt';
import { speedOf } from './speed';

it('the built-in shape is that of its config.json', () => {
  const json: unknown = JSON.parse(readFileSync(`public/models/${BUILTIN.name}/config.json`, 'utf8'));
  expect(BUILTIN.shape).toEqual(parseModelConfig(json, 'config.json'));
});

describe('announcements', () => {
  const run = { ...newRun('a', { ...DEFAULTS, steps: 100 }), phase: 'training' as const };
  it('speaks at changes of phase and every tenth', () => {
    expect(announcement(null, run)).toBe('Training.');
    expect(announcement(run, { ...run, step: 9 })).toBeNull();
    expect(announcement({ ...run, step: 9 }, { ...run, step: 10 })).toBe('10 percent: step 10 of 100.');
    expect(announcement(run, { ...run, step: 7, phase: 'paused' })).toBe('Paused after step 7 of 100.');
    expect(announcement(run, null)).toBeNull();
    const failed = { ...run, phase: 'failed' as const, error: { code: 'GPU_OOM' as const, detail: 'No memory.', remedy: '' } };
    expect(announcement(run, failed)).toBe('The run failed. No memory.');
  });

  it('is silent about what happens between steps', () => {
    const at = { ...run, step: 50 };
    expect(announcement(at, { ...at, phase: 'evaluating' })).toBeNull();
    expect(announcement({ ...at, phase: 'saving' }, at)).toBeNull();
    expect(announcement(at, { ...at, phase: 'paused' })).toBe('Paused after step 50 of 100.');
    expect(announcement({ ...at, phase: 'paused' }, at)).toBe('Training.');
    expect(announcement(run, { ...run, phase: 'evaluating' })).toBe('Evaluating.');
  });

  it('tells of a checkpoint that failed, and of a proof', () => {
    const saveError = { code: 'STORAGE' as const, detail: 'No room.', remedy: '' };
    expect(announcement(run, { ...run, saveError })).toBe('The checkpoint could not be written. No room.');
    const verified = { type: 'verified' as const, step: 40, frozen: ['layer.0', 'layer.1'], changed: [] };
    expect(announcement(run, { ...run, verified })).toBe('After step 40, all 2 frozen blocks are unchanged, bit for bit.');
    expect(verifiedSentence({ ...verified, frozen: ['layer.1'] })).toMatch(/the one frozen block is unchanged/);
    expect(verifiedSentence({ ...verified, frozen: [] })).toMatch(/no block is frozen/);
    expect(verifiedSentence({ ...verified, changed: ['layer.1'] })).toBe('After step 40, 1 block changed although frozen: layer 1.');
  });

  it('puts progress first in the tab title', () => {
    expect(tabTitle(null)).toBe('LISA Studio');
    expect(tabTitle({ ...run, step: 42 })).toBe('42 % · LISA Studio');
    expect(tabTitle({ ...run, step: 42, phase: 'paused' })).toBe('Paused 42 % · LISA Studio');
    expect(tabTitle({ ...run, phase: 'done' })).toBe('Done · LISA Studio');
  });
});

describe('speedOf', () => {
  const columns = (ms: number[], tokens: number) => {
    const result = { stepMs: new Column(), tokens: new Column() };
    ms.forEach((value) => (result.stepMs.push(value), result.tokens.push(tokens)));
    return result;
  };
  it('leaves the first step out once there is another', () => {
    expect(speedOf(columns([500], 100), 9)).toEqual({ tokensPerSecond: 200, stepMs: 500, leftMs: 4500 });
    expect(speedOf(columns([500, 10, 30], 100), 5)).toEqual({ tokensPerSecond: 5000, stepMs: 20, leftMs: 100 });
  });
  it('knows nothing before the first step', () => {
    expect(speedOf(columns([], 100), 5).tokensPerSecond).toBeNaN();
  });
});

it('receipts never mix measured and forecast', () => {
  expect(measuredReceipt('lisa', 31.2e6, 52.9e6, true)).toBe(
    'Peak 31.2 MB measured; full fine-tuning would need 52.9 MB (forecast): 41 % less.',
  );
  expect(measuredReceipt('full', 52.9e6, 52.9e6, true)).toBe('Peak 52.9 MB measured; the forecast was 52.9 MB.');
  expect(measuredReceipt('lisa', 30e6, 60e6, false)).toMatch(/^30\.0 MB measured so far; .*\(forecast\): 50 % less\.$/);
  expect(forecastReceipt('lora', 60e6, 50e6)).toMatch(/20 % more\.$/);
});

it('the device line says each part once', () => {
  const line = (vendor: string, architecture: string, description: string, software = false) =>
    deviceLine({ status: 'ready', device: { vendor, architecture, description, software }, limits: DEFAULT_LIMITS, features: [] });
  expect(line('google', 'swiftshader', 'google', true)).toBe('google swiftshader · software renderer: correct, but slow');
  expect(line('nvidia', 'ampere', 'NVIDIA GeForce RTX 3080')).toBe('NVIDIA GeForce RTX 3080 ampere');
});
