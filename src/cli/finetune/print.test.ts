import { describe, expect, test } from 'vitest';
import type { RunEvent, StepMetrics } from '../../train/events';
import { describeEvent, duration, megabytes } from './print';

type Prepared = Extract<RunEvent, { type: 'prepared' }>['prepared'];

const DATA = {
  name: 'rows.jsonl',
  rows: 12,
  targets: 3456,
  tokens: 7890,
  evalRows: 2,
  truncated: 0,
  dropped: 0,
  perAnswer: 0,
  badRows: 0,
  ending: { of: 'nothing' },
  unread: {},
};
const prepared = (data: Partial<typeof DATA>): string => {
  const device = { description: 'a card', software: false };
  const facts = { modelName: 'small', parameters: 1_234_567, trainable: 4567, shape: { layers: 4 }, device, data: { ...DATA, ...data } };
  return describeEvent({ type: 'prepared', prepared: facts as unknown as Prepared }, 10)!;
};

describe('what is prepared', () => {
  test('three lines, if every row is used as it is', () => {
    expect(prepared({}).split('\n')).toEqual([
      'model    small: 1,234,567 parameters, 4 layers; 4,567 trained per step',
      'data     rows.jsonl: 12 rows, 3,456 of 7,890 tokens count toward the loss; 2 rows held out',
      'device   a card',
    ]);
  });

  test('one more line says what happened to the others', () => {
    expect(prepared({ truncated: 1, badRows: 2 }).split('\n')[3]).toBe('         1 rows cut to the row length; 2 malformed rows skipped');
    expect(prepared({ dropped: 1 }).split('\n')[3]).toBe('         1 rows without a target left out');
    expect(prepared({ perAnswer: 1 }).split('\n')[3]).toMatch(/^ {9}1 rows became one sample per answer/);
  });
});

test('a run prints about fifty of its steps, and always the first and the last', () => {
  const metrics = { loss: 1, lr: 1e-3, gradNorm: 1, tokens: 100, activeLayers: [0], stepMs: 50 };
  const shown = (steps: number): number[] =>
    Array.from({ length: steps }, (_, i) => i + 1).filter(
      (step) => describeEvent({ type: 'step', metrics: { ...metrics, step } as unknown as StepMetrics }, steps) !== null,
    );
  expect(shown(7)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(shown(1001)).toEqual([1, ...Array.from({ length: 50 }, (_, i) => 20 * (i + 1)), 1001]);
  const metrics37 = { ...metrics, step: 37, activeLayers: [0, 1, 2, 3, 4, 5, 6] } as unknown as StepMetrics;
  expect(describeEvent({ type: 'step', metrics: metrics37 }, 1837)).toBe(
    'step   37/1837  loss 1.0000  lr 1.00e-3  norm 1.000  7 layers  2000 tokens/s  1 min 30 s left',
  );
});

test('times and sizes', () => {
  expect([0.4, 89.4, 90, 3599].map(duration)).toEqual(['0 s', '89 s', '1 min 30 s', '59 min 59 s']);
  expect([99_999, 100_000, 1_234_567].map(megabytes)).toEqual(['0.100 MB', '0.10 MB', '1.23 MB']);
});

test('a proof names the blocks, and those that changed', () => {
  const verified = { type: 'verified', step: 5, frozen: ['layer.0', 'layer.2'], changed: [] } as const;
  expect(describeEvent(verified, 9)).toBe('after step 5: 2 frozen blocks are unchanged, bit for bit (layer.0, layer.2)');
  expect(describeEvent({ ...verified, changed: ['layer.2'] }, 9)).toBe('after step 5: CHANGED although frozen: layer.2');
});

test('a sample says when it was written, and what it could not read', () => {
  const sample = { when: 'during', step: 20, prompt: 'one', text: 'two' } as const;
  const event = (more: object): RunEvent => ({ type: 'sample', sample: { ...sample, ...more } }) as unknown as RunEvent;
  expect(describeEvent(event({}), 9)).toBe('\n[step 20] one\ntwo\n');
  expect(describeEvent(event({ when: 'after' }), 9)).toBe('\n[after] one\ntwo\n');
  expect(describeEvent(event({ leftOut: 1 }), 9)).toContain('\n(its first 1 tokens are left out');
});
