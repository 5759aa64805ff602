import { describe, expect, test } from 'vitest';
import { randomStream, type RandomStream } from '../base/random';
import { TINY } from '../testing/tiny';
import type { Engine } from './engine';
import { generate, sampleToken } from './generate';

/** Probabilities 0.4, 0.3, 0.2, 0.1 for tokens 2, 0, 3, 1. */
const LOGITS = Float32Array.from([0.3, 0.1, 0.4, 0.2], Math.log);

/** A stream that gives these numbers and no others. */
function fixed(...values: number[]): RandomStream {
  const nextFloat = (): number => values.shift() ?? NaN;
  return { ...randomStream(1), nextFloat };
}

/** Every token that comes out over a fine sweep of the unit interval, with its share of it. */
function shares(options: { topK?: number; topP?: number; temperature?: number }): Map<number, number> {
  const n = 2000;
  const found = new Map<number, number>();
  for (let i = 0; i < n; i++) {
    const id = sampleToken(LOGITS, { temperature: 1, ...options, random: fixed((i + 0.5) / n) });
    found.set(id, (found.get(id) ?? 0) + 1 / n);
  }
  return found;
}

const expectShares = (found: Map<number, number>, want: Record<number, number>): void => {
  expect([...found.keys()].sort()).toEqual(Object.keys(want).map(Number).sort());
  for (const [id, share] of found) expect(share, `share of token ${id}`).toBeCloseTo(want[id], 2);
};

describe('sampleToken', () => {
  test('temperature 0 is greedy and asks for no random number; the lowest id wins a tie', () => {
    expect(sampleToken(LOGITS, { temperature: 0, random: fixed() })).toBe(2);
    expect(sampleToken(Float32Array.of(1, 5, 5, 2), { temperature: 0 })).toBe(1);
  });

  test('temperature 1 draws each token with its probability', () => {
    expectShares(shares({}), { 0: 0.3, 1: 0.1, 2: 0.4, 3: 0.2 });
  });

  test('temperature ½ squares the probabilities', () => {
    expectShares(shares({ temperature: 0.5 }), { 0: 9 / 30, 1: 1 / 30, 2: 16 / 30, 3: 4 / 30 });
  });

  test('top-k keeps exactly the k likeliest', () => {
    expectShares(shares({ topK: 1 }), { 2: 1 });
    expectShares(shares({ topK: 2 }), { 2: 4 / 7, 0: 3 / 7 });
    expectShares(shares({ topK: 3 }), { 2: 4 / 9, 0: 3 / 9, 3: 2 / 9 });
    expectShares(shares({ topK: 99 }), { 0: 0.3, 1: 0.1, 2: 0.4, 3: 0.2 });
  });

  test('top-p keeps the smallest set that reaches p', () => {
    expectShares(shares({ topP: 0.01 }), { 2: 1 });
    expectShares(shares({ topP: 0.39 }), { 2: 1 });
    expectShares(shares({ topP: 0.41 }), { 2: 4 / 7, 0: 3 / 7 });
    expectShares(shares({ topP: 0.69 }), { 2: 4 / 7, 0: 3 / 7 });
    expectShares(shares({ topP: 0.71 }), { 2: 4 / 9, 0: 3 / 9, 3: 2 / 9 });
    expectShares(shares({ topP: 1 }), { 0: 0.3, 1: 0.1, 2: 0.4, 3: 0.2 });
  });

  test('top-p counts within what top-k left', () => {
    // 0.4 / 0.7 = 0.571 of the two: 0.5 needs one, 0.6 needs both.
    expectShares(shares({ topK: 2, topP: 0.5 }), { 2: 1 });
    expectShares(shares({ topK: 2, topP: 0.6 }), { 2: 4 / 7, 0: 3 / 7 });
  });

  test('the same seed draws the same tokens, another seed draws others', () => {
    const draw = (seed: number): number[] => {
      const random = randomStream(seed, 'sample', 0);
      return Array.from({ length: 40 }, () => sampleToken(LOGITS, { temperature: 1, random }));
    };
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });

  test('scores that are not finite are refused', () => {
    for (const bad of [NaN, Infinity]) {
      expect(() => sampleToken(Float32Array.of(bad, bad), { temperature: 0 })).toThrow(expect.objectContaining({ code: 'NONFINITE_LOSS' }));
    }
  });
});

/** An engine whose next token is always the last one plus one, over a cache of `cacheTokens`. */
function countingEngine(rows: number, cacheTokens: number) {
  const calls: { tokens: number[]; past: number }[] = [];
  const logits = (tokens: readonly number[], past: number): Promise<Float32Array> => {
    calls.push({ tokens: [...tokens], past });
    const scores = new Float32Array(100);
    scores[tokens[tokens.length - 1] + 1] = 1;
    return Promise.resolve(scores);
  };
  return { engine: { plan: { input: { shape: TINY['tied Llama'], rows, cacheTokens } }, logits } as unknown as Engine, calls };
}

const greedy = { temperature: 0, stopIds: new Set<number>() };

describe('generate', () => {
  test('reads the prompt in pieces of the plan, then a token at a time', async () => {
    const { engine, calls } = countingEngine(4, 20);
    expect(await generate(engine, [1, 2, 3, 4, 5], { ...greedy, maxTokens: 3 })).toEqual([6, 7, 8]);
    expect(calls).toEqual([
      { tokens: [1, 2, 3, 4], past: 0 },
      { tokens: [5], past: 4 },
      { tokens: [6], past: 5 },
      { tokens: [7], past: 6 },
    ]);
  });

  test('ends before a stop token, and reports each token before it', async () => {
    const { engine } = countingEngine(8, 20);
    const told: number[] = [];
    expect(await generate(engine, [1], { ...greedy, maxTokens: 9, stopIds: new Set([4]), onToken: (id) => told.push(id) })).toEqual([2, 3]);
    expect(told).toEqual([2, 3]);
  });

  test('a prompt that leaves no room for the answer loses its beginning, but never more than half of the cache', async () => {
    const { engine, calls } = countingEngine(16, 12);
    await generate(engine, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13], { ...greedy, maxTokens: 4 });
    expect(calls[0]).toEqual({ tokens: [6, 7, 8, 9, 10, 11, 12, 13], past: 0 });
    calls.length = 0;
    await generate(engine, [1, 2, 3, 4, 5, 6, 7, 8], { ...greedy, maxTokens: 64 });
    expect(calls[0]).toEqual({ tokens: [3, 4, 5, 6, 7, 8], past: 0 });
  });

  test('never writes behind the end of the cache', async () => {
    const { engine, calls } = countingEngine(16, 6);
    const made = await generate(engine, [1, 2, 3], { ...greedy, maxTokens: 64 });
    expect(Math.max(...calls.map(({ tokens, past }) => past + tokens.length))).toBe(6);
    expect(made).toEqual([4, 5, 6, 7]);
  });

  test('ends when it is cancelled', async () => {
    const { engine } = countingEngine(8, 50);
    const told: number[] = [];
    await generate(engine, [1], { ...greedy, maxTokens: 40, onToken: (id) => told.push(id), cancelled: () => told.length === 2 });
    expect(told).toEqual([2, 3]);
  });

  test('refuses an empty prompt', async () => {
    await expect(generate(countingEngine(8, 20).engine, [], { ...greedy, maxTokens: 1 })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
