import { describe, expect, it } from 'vitest';
import { DEFAULTS } from '../../config/run-config';
import { learningRate } from '../../config/learning-rate';
import { zeroBytes } from '../../dispatch/memory';
import { MovingAverage } from '../../store/run/columns';
import { formatRate } from '../format';
import { RunMetrics } from '../../store/run/metrics';
import { evalAt, indexOfStep, isClipped, lossInWords, readout, type ReadoutInput } from './readout';

function inputWith(first: number, last: number): ReadoutInput {
  const config = { ...DEFAULTS, steps: 100, stepsPerPeriod: 5 };
  const metrics = new RunMetrics(5);
  for (let step = first; step <= last; step++) {
    metrics.push({
      step,
      loss: 2.31,
      lr: learningRate(config, step - 1),
      gradNorm: step === 61 ? 1.834 : 0.5,
      tokens: 10,
      targets: 5,
      activeLayers: [6, 3],
      stepMs: 20,
      memory: { ...zeroBytes(), total: 100 },
    });
  }
  const evals = [
    { step: 0, loss: 3.97 },
    { step: 50, loss: 2.4 },
  ].filter(({ step }) => step <= last);
  const schedule = Array.from({ length: 20 }, (_, period) => ({ period, firstStep: period * 5 + 1, layers: [1, 4] }));
  return { metrics, smooth: new MovingAverage(metrics.loss).follow(), evals, config, schedule };
}

const sentence = (input: ReadoutInput, step: number | null): string => {
  const { head, parts } = readout(input, step);
  return `${head}: ${parts.join(', ')}`;
};

describe('readout', () => {
  it('tells everything about a step that was made', () => {
    const input = inputWith(1, 62);
    expect(sentence(input, 61)).toBe(
      `Step 61: loss 2.310 (smoothed 2.310), evaluation 2.400 (step 50), learning rate ${formatRate(learningRate(input.config, 60))}, gradient norm 1.83 (clipped to 1), layers 3 and 6`,
    );
    expect(readout(input, 61).meaning).toBe('Loss 2.310: ≈ choosing among 10 tokens.');
    expect(sentence(input, 50)).toContain('evaluation 2.400,');
  });

  it('tells the latest step while nobody points', () => {
    expect(readout(inputWith(1, 62), null).head).toBe('Step 62');
    expect(readout(inputWith(1, 0), null)).toEqual({
      head: 'Before step 1',
      parts: ['evaluation 3.970'],
      meaning: 'Loss 3.970: ≈ choosing among 53 tokens.',
    });
    expect(readout({ ...inputWith(1, 0), evals: [] }, null).head).toBe('No step yet');
  });

  it('tells what is to come from the schedule', () => {
    const input = inputWith(1, 62);
    expect(sentence(input, 80)).toBe(`Step 80, scheduled: learning rate ${formatRate(learningRate(input.config, 79))}, layers 1 and 4`);
  });

  it('says what is not known of a run that went on', () => {
    expect(sentence(inputWith(51, 62), 12)).toBe('Step 12: before this run resumed, evaluation 3.970 (step 0), layers 1 and 4');
  });
});

it('finds steps and evaluations', () => {
  const { metrics, evals } = inputWith(51, 62);
  expect([50, 51, 62, 63].map((step) => indexOfStep(metrics.step, step))).toEqual([-1, 0, 11, -1]);
  expect([0, 49, 50, 99].map((step) => evalAt(evals, step)?.loss)).toEqual([3.97, 3.97, 2.4, 2.4]);
  expect(evalAt([], 3)).toBeUndefined();
});

it('says the loss in words', () => {
  expect(lossInWords(2.1)).toBe('≈ choosing among 8 tokens');
  expect(lossInWords(0.5)).toContain('among 1.6 ');
  expect(lossInWords(7.6)).toContain('among 2,000 ');
});

it('a norm is clipped as the optimizer clips it', () => {
  expect([isClipped(1.2, 1), isClipped(0.9, 1), isClipped(1.2, 0), isClipped(NaN, 1)]).toEqual([true, false, false, false]);
});
