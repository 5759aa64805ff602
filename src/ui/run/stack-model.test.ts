import { describe, expect, it } from 'vitest';
import { countdown, stackOf, stackSentences } from './stack-model';
import { preparedCase } from '../../testing/stack';

const OFF = { embedding: false, head: false, norm: false };

describe('stackOf', () => {
  const { prepared, run } = preparedCase('wordsmith-2m', { steps: 12, stepsPerPeriod: 5 });
  const lit = (step: number, observed: Parameters<typeof stackOf>[2] = []): number[] =>
    stackOf(run({ step }), prepared, observed).floors.flatMap(({ trains, layer }) => (trains === 'drawn' && layer !== null ? [layer] : []));

  it('has the head on top and the embedding at the bottom', () => {
    const { floors, end } = stackOf(run({ step: 1 }), prepared, []);
    expect(floors.map(({ name }) => name)).toEqual(['head', 'norm', ...[7, 6, 5, 4, 3, 2, 1, 0].map((l) => `layer.${l}`), 'embedding']);
    expect(floors[0]).toMatchObject({ title: 'head, tied', trains: 'always', block: null });
    expect(end).toBe(10);
  });

  it('lights the layers of the period of the last step, up to its end', () => {
    const drawn = prepared.schedule.map(({ layers }) => [...layers].reverse());
    expect([0, 1, 5].map((step) => lit(step))).toEqual([drawn[0], drawn[0], drawn[0]]);
    expect([6, 10].map((step) => lit(step))).toEqual([drawn[1], drawn[1]]);
    expect(lit(12)).toEqual(drawn[2]);
  });

  it('shows what was trained where that is not what was planned', () => {
    expect(lit(7, [{ period: 1, firstStep: 6, lastStep: 7, layers: [4], firstLoss: 1, lastLoss: 1 }])).toEqual([4]);
  });

  it('counts down to the next draw', () => {
    const said = (step: number, phase: 'training' | 'done' = 'training'): string => {
      const { draw, moment } = stackOf(run({ step, phase }), prepared, []);
      return draw ? countdown(draw, moment) : '';
    };
    expect([0, 2, 4, 5].map((step) => said(step))).toEqual([
      'next draw in 5 steps',
      'next draw in 3 steps',
      'next draw in 1 step',
      'next draw at the next step',
    ]);
    expect([11, 12].map((step) => said(step))).toEqual(['last draw; 1 step left', 'the last step is finished']);
    expect(said(7, 'done')).toBe('no further draw');
  });

  it('ends the backward pass at the lowest layer in training where the embedding is frozen', () => {
    const frozen = preparedCase('wordsmith-2m', { steps: 12, stepsPerPeriod: 5, alwaysOn: OFF });
    for (const step of [1, 6, 11]) {
      const { floors, end, draw } = stackOf(frozen.run({ step }), frozen.prepared, []);
      expect(floors[end].layer).toBe(Math.min(...(draw?.layers ?? [])));
      expect(floors[0].trains).toBe('no');
    }
  });

  it('full: all of it at every step; LoRA: adapters, and no embedding', () => {
    const full = preparedCase('odd GPT-2, untied', { method: 'full' });
    const whole = stackOf(full.run({ step: 1 }), full.prepared, []);
    expect(whole.floors.every(({ trains, block }) => trains === 'always' && block !== null)).toBe(true);
    expect(whole.draw).toBeNull();
    const lora = preparedCase('odd GPT-2, untied', { method: 'lora' });
    const beside = stackOf(lora.run({ step: 1 }), lora.prepared, []);
    expect(beside.floors.map(({ trains }) => trains)).toEqual(['no', 'no', 'adapter', 'adapter', 'adapter', 'no']);
    expect(beside.end).toBe(4);
  });
});

it('says in words what the picture shows', () => {
  const { prepared, run } = preparedCase('wordsmith-2m', { steps: 12, stepsPerPeriod: 5 });
  const observed = [{ period: 1, firstStep: 6, lastStep: 7, layers: [3, 6], firstLoss: 1, lastLoss: 1 }];
  expect(stackSentences(stackOf(run({ step: 7 }), prepared, observed))).toEqual([
    'At every step: head, tied, norm and embedding.',
    'Drawn now: layers 3 and 6; 6 layers frozen.',
    'The backward pass goes down to the embedding.',
  ]);
  const full = preparedCase('wordsmith-2m', { method: 'full' });
  expect(stackSentences(stackOf(full.run({ step: 7 }), full.prepared, []))[0]).toBe('Every block trains at every step.');
});
