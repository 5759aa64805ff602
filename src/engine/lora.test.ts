import { describe, expect, test } from 'vitest';
import { parseModelConfig } from '../model/config';
import type { LinearOp } from '../plan/ops/linear-op';
import { randomStream } from '../base/random';
import { loadFixture, type FixtureName } from '../testing/fixtures';
import { initialA, loraSites, mergeAdapter, type LoraSite } from './lora';

describe('initialA', () => {
  test.each([1, 16, 48, 100])('lies in ±1/√%i and fills that range evenly', (inputs) => {
    const rank = 64;
    const a = initialA(3, 0, 'q', rank, inputs);
    const bound = 1 / Math.sqrt(inputs);
    expect(a.length).toBe(rank * inputs);
    const largest = Math.max(...a.map(Math.abs));
    expect(largest).toBeLessThanOrEqual(Math.fround(bound));
    expect(largest).toBeGreaterThan(0.9 * bound);
    // Uniform: variance bound²/3, mean 0; five standard errors of each over the sample.
    const mean = a.reduce((sum, v) => sum + v, 0) / a.length;
    const variance = a.reduce((sum, v) => sum + v * v, 0) / a.length;
    expect(Math.abs(mean)).toBeLessThan((5 * bound) / Math.sqrt(3 * a.length));
    expect(Math.abs(variance - bound ** 2 / 3)).toBeLessThan((5 * bound ** 2 * Math.sqrt(4 / 45)) / Math.sqrt(a.length));
  });

  test('is a function of seed, layer and part alone', () => {
    const a = initialA(1, 2, 'self_attn.q_proj', 4, 8);
    expect(initialA(1, 2, 'self_attn.q_proj', 4, 8)).toEqual(a);
    for (const other of [
      initialA(2, 2, 'self_attn.q_proj', 4, 8),
      initialA(1, 3, 'self_attn.q_proj', 4, 8),
      initialA(1, 2, 'self_attn.k_proj', 4, 8),
    ]) {
      expect(other).not.toEqual(a);
    }
  });
});

test('every linear projection of a layer is adapted', () => {
  const parts = (name: FixtureName): string[] =>
    loraSites(parseModelConfig(loadFixture(name).config, 'config.json')).map((site) => site.weight);
  expect(parts('tiny-llama').sort()).toEqual(
    ['mlp.down_proj', 'mlp.gate_proj', 'mlp.up_proj', 'self_attn.k_proj', 'self_attn.o_proj', 'self_attn.q_proj', 'self_attn.v_proj'].map(
      (part) => `${part}.weight`,
    ),
  );
  expect([parts('tiny-qwen2'), parts('tiny-qwen3')]).toEqual([parts('tiny-llama'), parts('tiny-llama')]);
  expect(parts('tiny-gpt2').sort()).toEqual(['attn.c_attn', 'attn.c_proj', 'mlp.c_fc', 'mlp.c_proj'].map((part) => `${part}.weight`));
});

describe('mergeAdapter', () => {
  const [inputs, out, rank, scale] = [7, 5, 3, 2.5];
  const values = (count: number, key: string): Float32Array<ArrayBuffer> => {
    const random = randomStream(11, key);
    return Float32Array.from({ length: count }, () => random.nextFloat() * 2 - 1);
  };
  const a = values(rank * inputs, 'a');
  const b = values(out * rank, 'b');
  const weight = values(out * inputs, 'w');

  test.each(['nt', 'nn'] as const)('%s: W + scale · B · A, rounded once', (layout) => {
    const site = {
      op: { in: inputs, layout } as unknown as LinearOp,
      slice: 'p',
      out,
      a: 'a',
      b: 'b',
      weight: 'p.weight',
    } satisfies LoraSite;
    const merged = mergeAdapter(weight, site, a, b, rank, scale);
    for (let o = 0; o < out; o++) {
      for (let i = 0; i < inputs; i++) {
        let delta = 0;
        for (let r = 0; r < rank; r++) delta += b[o * rank + r] * a[r * inputs + i];
        const at = layout === 'nt' ? o * inputs + i : i * out + o;
        // The same sum in float64, so the only rounding is the last.
        expect(merged[at], `${o}, ${i}`).toBe(Math.fround(weight[at] + scale * delta));
      }
    }
    expect(merged.some((value, at) => value !== weight[at])).toBe(true);
    // Pieces that begin and end inside rows.
    const pieces = [0, 3, 4, 18, 35].flatMap((start, i, bounds) =>
      i + 1 < bounds.length ? [...mergeAdapter(weight.slice(start, bounds[i + 1]), site, a, b, rank, scale, start)] : [],
    );
    expect(pieces).toEqual([...merged]);
  });

  test('B = 0 changes nothing, bit for bit', () => {
    const site = {
      op: { in: inputs, layout: 'nt' } as unknown as LinearOp,
      slice: 'p',
      out,
      a: 'a',
      b: 'b',
      weight: 'p.weight',
    } satisfies LoraSite;
    expect(mergeAdapter(weight, site, a, new Float32Array(out * rank), rank, scale)).toEqual(weight);
  });
});
