// Sampling takes a prompt in pieces and then goes token by token over the K/V cache. The logits are those of one forward pass.

import { describe, expect, test } from 'vitest';
import type { Sample } from '../data/read/types';
import { relativeErrorL2 } from '../testing/compare';
import { microBatch, TINY, TINY_NAMES, tinyConfig, tinyEngine, tinySamples } from '../testing/tiny';
import { logitRows } from '../testing/logit-rows';
import { generate } from './generate';

const argmax = (values: ArrayLike<number>): number => Array.from(values).reduce((best, value, i, all) => (value > all[best] ? i : best), 0);

describe.each(TINY_NAMES)('%s', (name) => {
  const shape = TINY[name];

  test('prefill in pieces and decoding equal the whole forward pass', async () => {
    const length = 17;
    const [{ ids }] = tinySamples(shape, [length], 21);
    const sample: Sample = { ids, target: Uint8Array.from({ length: length + 1 }, (_, i) => (i > 0 ? 1 : 0)) };
    const whole = await tinyEngine(shape, tinyConfig({ seqLen: length, batchSize: 1 }));
    await whole.evaluate(microBatch([sample]));
    const rows = await logitRows(whole);
    whole.close();
    const want = (position: number): Float32Array => rows.subarray(position * shape.vocab, (position + 1) * shape.vocab);

    // A plan of six rows and room for 22 tokens.
    const engine = await tinyEngine(shape, tinyConfig({ seqLen: 6, batchSize: 1, sampleTokens: 16 }));
    try {
      expect([engine.plan.input.rows, engine.plan.input.cacheTokens]).toEqual([6, 22]);
      const prompt = [...ids.subarray(0, length)];
      const ends = new Map<string, number>();
      const check = async (tokens: readonly number[], past: number, kind: string): Promise<void> => {
        const got = await engine.logits(tokens, past);
        const reference = want(past + tokens.length - 1);
        expect(argmax(got), `${kind} at ${past + tokens.length - 1}`).toBe(argmax(reference));
        ends.set(kind, Math.max(ends.get(kind) ?? 0, relativeErrorL2(got, reference)));
      };
      for (let past = 0; past < length; past += 6) await check(prompt.slice(past, past + 6), past, 'prefill');
      // The cache is overwritten from the front: a new conversation needs no clearing.
      for (let past = 0; past < length; past++) await check([prompt[past]], past, 'decode');
      console.info(`${name}: ${[...ends].map(([kind, error]) => `${kind} ${error.toExponential(1)}`).join(', ')}`);
      expect(Math.max(...ends.values())).toBeLessThan(2e-6);

      // generate() cuts the prompt the same way and continues greedily.
      const options = { maxTokens: 5, temperature: 0, stopIds: new Set<number>() };
      const streamed: number[] = [];
      const made = await generate(engine, prompt, { ...options, onToken: (id) => streamed.push(id) });
      expect(made).toHaveLength(5);
      expect(streamed).toEqual(made);
      expect(made[0]).toBe(argmax(want(length - 1)));
      let past = 0;
      const continuation = [...prompt, ...made];
      for (let at = 0; at < continuation.length - 1; at++) {
        const next = argmax(await engine.logits([continuation[at]], past++));
        if (at >= length - 1) expect(next).toBe(continuation[at + 1]);
      }
      expect(await generate(engine, prompt, { ...options, stopIds: new Set([made[2]]) })).toEqual(made.slice(0, made.indexOf(made[2])));
      // A prompt that leaves no room loses its beginning.
      const long = [...prompt, ...prompt, ...prompt];
      expect(await generate(engine, long, options)).toEqual(await generate(engine, long.slice(-17), options));
      // The prompt gets half of the cache; the last token comes from a full cache.
      expect(await generate(engine, prompt, { ...options, maxTokens: 30 })).toHaveLength(12);
    } finally {
      engine.close();
    }
  });
});
