import { describe, expect, it } from 'vitest';
import { configFaults, DEFAULTS } from '../config/run-config';
import type { ErrorCode } from '../base/errors';
import { safeSentence, savedSentence, suggestions, titleOf } from './error-cards';

const error = (code: ErrorCode) => ({ code, detail: 'd', remedy: 'r' });

describe('suggestions', () => {
  it('every suggestion is a configuration that can run', () => {
    for (const code of ['GPU_OOM', 'DEVICE_LOST', 'NONFINITE_LOSS', 'DATASET_PARSE'] as const) {
      for (const method of ['lisa', 'full', 'lora'] as const) {
        const config = { ...DEFAULTS, method };
        const list = suggestions(error(code), config);
        expect(list.length, `${code} ${method}`).toBeGreaterThan(0);
        for (const { patch } of list) {
          expect(configFaults({ ...config, ...patch }, { layers: 8, maxPositions: 512 })).toEqual([]);
          expect({ ...config, ...patch }).not.toEqual(config);
        }
      }
    }
  });

  it('half the batch keeps the rows of a step', () => {
    const [half] = suggestions(error('GPU_OOM'), DEFAULTS);
    expect(half?.patch).toEqual({ batchSize: 2, gradAccum: 2 });
  });

  it('has nothing to halve at the bottom', () => {
    const small = { ...DEFAULTS, batchSize: 1, seqLen: 16, lisaLayers: 1, alwaysOn: { embedding: false, head: false, norm: false } };
    expect(suggestions(error('GPU_OOM'), small)).toEqual([]);
    expect(suggestions(error('SHADER_COMPILE'), DEFAULTS)).toEqual([]);
    expect(suggestions(error('DATASET_PARSE'), { ...DEFAULTS, badRows: 'skip' })).toEqual([]);
  });
});

it('says what is safe', () => {
  expect(safeSentence(0, null)).toMatch(/nothing is lost/);
  expect(safeSentence(41, null)).toMatch(/Nothing was saved before step 41/);
  expect(safeSentence(50, 50)).toBe('All 50 steps are saved.');
  expect(safeSentence(412, 400)).toMatch(/^Steps 1 to 400 are saved; the 12 steps/);
  expect(safeSentence(401, 400)).toMatch(/the one step after/);
  expect(savedSentence(60, null)).toMatch(/waits after step 60\. It has no checkpoint/);
  expect(savedSentence(60, 40)).toMatch(/last good checkpoint is from step 40\.$/);
});

it('tells a browser without WebGPU from one without an adapter', () => {
  expect(titleOf(error('NO_WEBGPU'))).not.toBe(titleOf(error('NO_ADAPTER')));
});
