import { expect, test } from 'vitest';
import recorded from './recorded.json';
import { costWords, difference, expectWords, type Recorded } from './words';

const of = (changes: Partial<Recorded>): Recorded => ({
  date: '',
  device: null,
  steps: 1,
  methods: [],
  levers: [],
  draws: [],
  costs: [],
  ...changes,
});
const method = (name: string, ...after: number[]) => ({ method: name, lr: 1, before: 4, after, peak: 1 });

test('means differ where they are more than two standard errors apart', () => {
  expect(difference([3, 3.02], [3, 3.01])).toBe(0);
  expect(difference([3.5, 3.51], [3, 3.01])).toBeCloseTo(0.5, 9);
  expect(difference([3], [3, 3.01])).toBeNaN();
});

test('says who ended lower, that seeds differ as much, or that there are too few seeds', () => {
  const words = expectWords(of({ methods: [method('lisa', 3.5, 3.51), method('full', 3.3, 3.31), method('lora', 3.49, 3.53)] }));
  expect(words).toEqual([
    'LISA ended 0.200 nats higher than full training.',
    'LISA and LoRA ended at losses that differ no more than seeds do.',
  ]);
  expect(expectWords(of({ methods: [method('lisa', 3.5), method('full', 3.3)] }))[0]).toMatch(/^Too few seeds/);
  expect(expectWords(of({}))).toEqual([]);
});

test('of draws, those are named that differ from uniform ones', () => {
  const uniform = { name: 'uniform', after: [3.5, 3.52] };
  expect(expectWords(of({ draws: [uniform, { name: 'inverted', after: [3.51, 3.5] }] }))[0]).toMatch(/no difference beyond that of seeds/);
  expect(expectWords(of({ draws: [uniform, { name: 'inverted', after: [3.7, 3.71] }] }))).toEqual([
    'Compared with uniform draws, inverted ended 0.195 higher.',
  ]);
});

test('a lever’s cost is told where it cost most, and only where it cost something', () => {
  const cost = (model: string, by: number) => ({ model, lever: 'off', by, spread: 0.01 });
  const told = costWords(of({ costs: [cost('a', 0.1), cost('b', 0.2)] }), 'off');
  expect(told).toBe('In recorded runs (b) this ended 0.200 nats higher than LISA as published; seeds differ by 0.010.');
  expect(costWords(of({}), 'off')).toBe(null);
});

test('what is recorded has every method with its seeds and measured memory', () => {
  expect(recorded.methods.map((each) => each.method)).toEqual(['lisa', 'full', 'lora']);
  for (const { after, peak, before } of recorded.methods) {
    expect(after.length).toBeGreaterThanOrEqual(3);
    expect(Math.max(...after)).toBeLessThan(before);
    expect(peak).toBeGreaterThan(1e6);
  }
  expect(expectWords(recorded).length).toBeGreaterThanOrEqual(2);
});
