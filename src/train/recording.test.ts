import { describe, expect, it } from 'vitest';
import { DEFAULTS } from '../config/run-config';
import { zeroBytes } from '../dispatch/memory';
import type { RunEvent, StepMetrics } from './events';
import { decodeRecording, encodeRecording, type TimedEvent } from './recording';

const step = (at: number, activeLayers: number[]): StepMetrics => ({
  step: at,
  loss: 3.123456789 - at / 100,
  lr: 1 / 3000,
  gradNorm: 1.23456789,
  tokens: 100 + at,
  targets: 40 + at,
  activeLayers,
  stepMs: 412.34567,
  memory: { ...zeroBytes(), weights: 7_000_001, total: 7_000_001 },
});

const at = (ms: number, event: RunEvent): TimedEvent => ({ at: ms, event });

const events: TimedEvent[] = [
  at(0.4, { type: 'phase', phase: 'loading', fraction: 1 / 3 }),
  at(10, { type: 'eval', step: 0, loss: 4.25, targets: 12 }),
  // This has the same millisecond as the step, but the order is kept.
  at(20, { type: 'phase', phase: 'training' }),
  at(20, { type: 'step', metrics: step(1, [0, 3]) }),
  at(20.2, { type: 'moved', step: 1, period: 0, layers: [{ layer: 0, change: 0.0012345678 }] }),
  at(30, { type: 'step', metrics: step(2, [1]) }),
  at(40, { type: 'step', metrics: step(3, [0, 3]) }),
];
const recording = { recordedAt: '2026-11-24T20:00:00.000Z', config: DEFAULTS, events };

describe('a recording', () => {
  const read = decodeRecording(encodeRecording(recording));

  it('holds every event in order, with times', () => {
    expect(read.events.map(({ at: ms, event }) => [ms, event.type])).toEqual([
      [0, 'phase'],
      [10, 'eval'],
      [20, 'phase'],
      [20, 'step'],
      [20, 'moved'],
      [30, 'step'],
      [40, 'step'],
    ]);
    expect(read).toMatchObject({ recordedAt: recording.recordedAt, config: DEFAULTS });
  });

  it('rounds measurements and keeps counts, bytes and layers', () => {
    const steps = read.events.flatMap(({ event }) => (event.type === 'step' ? [event.metrics] : []));
    expect(steps[0]).toEqual({ ...step(1, [0, 3]), loss: 3.1135, lr: 0.00033333, gradNorm: 1.235, stepMs: 412.3 });
    expect(steps.map(({ activeLayers }) => activeLayers)).toEqual([[0, 3], [1], [0, 3]]);
    expect(read.events[4].event).toMatchObject({ layers: [{ layer: 0, change: 0.001235 }] });
  });

  it('writes repeated values once', () => {
    const file = JSON.parse(encodeRecording(recording)) as { layerSets: unknown[]; memories: unknown[] };
    expect(file.layerSets).toEqual([[0, 3], [1]]);
    expect(file.memories).toHaveLength(1);
  });

  it('refuses another form and columns that do not fit', () => {
    const file = JSON.parse(encodeRecording(recording)) as { version: number; steps: { loss: number[] } };
    expect(() => decodeRecording(JSON.stringify({ ...file, version: 2 }))).toThrow(/not in the form/);
    file.steps.loss.pop();
    expect(() => decodeRecording(JSON.stringify(file))).toThrow(/not in the form/);
  });
});
