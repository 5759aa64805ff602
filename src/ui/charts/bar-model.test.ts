import { expect, it } from 'vitest';
import { zeroBytes } from '../../dispatch/memory';
import type { Forecast } from '../../plan/forecast';
import { groupBytes } from '../../store/run/metrics';
import { classBar, measuredBar, purposeBar, segmentsOf } from './bar-model';

const bytes = { ...zeroBytes(), weights: 10, masters: 5, gradients: 7, optimizer: 14, activations: 3, inputs: 1, staging: 2 };
const forecast: Forecast = {
  method: 'lisa',
  bytes,
  total: 42,
  parts: [
    { id: 'other', bytes: 3, formula: [] },
    { id: 'weights', bytes: 15, formula: [] },
    { id: 'edges-state', bytes: 12, formula: [] },
    { id: 'layers-gradients', bytes: 3, formula: [] },
    { id: 'layers-optimizer', bytes: 6, formula: [] },
    { id: 'activations', bytes: 3, formula: [] },
    { id: 'workspace', bytes: 0, formula: [] },
  ],
  trainable: 1,
  largest: { buffer: { name: 'a', bytes: 10, memory: 'weights' }, binding: { name: 'a', bytes: 10, memory: 'weights' } },
};

it('a bar by purpose has its segments in the fixed order and without empty ones', () => {
  const bar = purposeBar('LISA', forecast, true);
  expect(bar.segments.map((s) => s.id)).toEqual(['weights', 'edges-state', 'layers-gradients', 'layers-optimizer', 'activations', 'other']);
  expect(bar.segments.reduce((sum, s) => sum + s.bytes, 0)).toBe(bar.total);
});

it('bars by category add up, forecast and measured alike', () => {
  const expected = classBar('LISA', bytes, 42);
  const measured = measuredBar('Now', groupBytes(bytes), 42);
  expect(expected.segments).toEqual(measured.segments);
  expect(measured.segments.reduce((sum, s) => sum + s.bytes, 0)).toBe(42);
  expect([expected.kind, measured.kind]).toEqual(['forecast', 'measured']);
});

it('the legend has what the bars have, once', () => {
  expect(segmentsOf([classBar('a', bytes, 42), classBar('b', bytes, 42)])).toEqual([
    'weights',
    'gradients',
    'optimizer',
    'activations',
    'other',
  ]);
});
