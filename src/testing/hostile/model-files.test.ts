// Damaged model files: the header of a safetensors file, the index of a sharded one, config.json.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIndex } from '../../io/sources/model-files';
import { parseHeader } from '../../io/formats/safetensors';
import { parseModelConfig } from '../../model/config';
import { damagedJson } from './mutate';
import { hostile, TIMEOUT_MS } from './run';

const HEADERS = [
  {
    __metadata__: { format: 'pt' },
    a: { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
    'layer.0.b': { dtype: 'F16', shape: [4], data_offsets: [24, 32] },
    c: { dtype: 'I64', shape: [], data_offsets: [32, 40] },
    d: { dtype: 'BF16', shape: [0, 5], data_offsets: [40, 40] },
  },
  { x: { dtype: 'U8', shape: [40], data_offsets: [0, 40] } },
];
const DATA = 40;
const BYTES = new Map(Object.entries({ F32: 4, F16: 2, BF16: 2, I64: 8, U8: 1, F64: 8, I32: 4, I8: 1, BOOL: 1 }));

interface HeaderEntry {
  readonly dtype: string;
  readonly shape: number[];
  readonly data_offsets: [number, number];
}

describe('damaged model files', () => {
  it(
    'a safetensors header',
    () => {
      const inputs = fc.record({
        json: damagedJson(HEADERS),
        // Now and then the claimed and the real size disagree.
        lie: fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: -50, max: 50 }) }),
        high: fc.oneof({ weight: 20, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(255) }),
        size: fc.oneof({ weight: 8, arbitrary: fc.constant(DATA) }, { weight: 1, arbitrary: fc.nat(100) }),
      });
      hostile(
        'safetensors header',
        inputs.map(({ json, lie, high, size }) => {
          const text = new TextEncoder().encode(json);
          const bytes = new Uint8Array(8 + text.length + size);
          new DataView(bytes.buffer).setUint32(0, Math.max(0, text.length + lie), true);
          bytes[6] = high;
          bytes.set(text, 8);
          return bytes;
        }),
        (bytes) => parseHeader(bytes, bytes.byteLength, 'x.safetensors'),
        ({ tensors, metadata }, bytes) => {
          const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
          const json = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as Record<string, HeaderEntry>;
          const names = Object.keys(json).filter((name) => name !== '__metadata__');
          expect([...tensors.keys()].sort()).toEqual(names.sort());
          expect(Object.fromEntries(metadata)).toEqual(json.__metadata__ ?? {});
          // Every byte of the data belongs to exactly one tensor.
          const owners = new Uint8Array(bytes.byteLength - 8 - length);
          for (const name of names) {
            const entry = json[name];
            const { dtype, shape, begin, end } = tensors.get(name)!;
            expect({ dtype, shape, begin: begin - 8 - length, end: end - 8 - length }).toEqual({
              dtype: entry.dtype,
              shape: entry.shape,
              begin: entry.data_offsets[0],
              end: entry.data_offsets[1],
            });
            const bytes1 = BYTES.get(dtype);
            if (bytes1 !== undefined) expect(shape.reduce((a, b) => a * b, bytes1)).toBe(end - begin);
            for (let at = entry.data_offsets[0]; at < entry.data_offsets[1]; at++) owners[at]++;
          }
          expect(owners.every((count) => count === 1)).toBe(true);
        },
      );
    },
    TIMEOUT_MS,
  );

  const SHARDS = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
  const INDEXES = [
    {
      metadata: { total_size: 96 },
      weight_map: { 'model.embed_tokens.weight': SHARDS[0], 'model.layers.0.a': SHARDS[0], 'model.norm.weight': SHARDS[1] },
    },
    { weight_map: { x: 'model.safetensors' } },
  ];

  it(
    'the index of shards',
    () => {
      hostile('index of shards', damagedJson(INDEXES), parseIndex, (places, text) => {
        const { weight_map } = JSON.parse(text) as { weight_map: Record<string, string> };
        expect(Object.fromEntries(places)).toEqual(weight_map);
        // No name may lead out of the folder.
        for (const file of places.values()) expect(file).toMatch(/^[^/\\\0]+\.safetensors$/);
      });
    },
    TIMEOUT_MS,
  );

  const LLAMA = {
    model_type: 'llama',
    vocab_size: 64,
    hidden_size: 16,
    intermediate_size: 32,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    max_position_embeddings: 64,
    rms_norm_eps: 1e-6,
    hidden_act: 'silu',
    tie_word_embeddings: true,
    rope_theta: 10000,
    rope_scaling: { rope_type: 'linear', factor: 2 },
    bos_token_id: 0,
    torch_dtype: 'float32',
  };
  const CONFIGS = [
    LLAMA,
    { ...LLAMA, model_type: 'qwen3', head_dim: 8, rope_scaling: null, use_sliding_window: false },
    { ...LLAMA, model_type: 'mistral', sliding_window: 32, rope_scaling: null },
    {
      model_type: 'gpt2',
      vocab_size: 64,
      n_embd: 16,
      n_layer: 2,
      n_head: 4,
      n_positions: 32,
      activation_function: 'gelu_new',
      layer_norm_epsilon: 1e-5,
    },
  ];

  it(
    'config.json',
    () => {
      hostile(
        'config.json',
        damagedJson(CONFIGS),
        (text) => {
          // The loader does the same, and names a file that is not JSON.
          let json: unknown;
          try {
            json = JSON.parse(text);
          } catch {
            json = null;
          }
          return parseModelConfig(json, 'config.json');
        },
        (shape, text) => {
          const json = JSON.parse(text) as Record<string, unknown>;
          const gpt2 = json.model_type === 'gpt2';
          const said = (llamaName: string, gpt2Name: string): unknown => json[gpt2 ? gpt2Name : llamaName];
          expect(shape.family).toBe(json.model_type);
          expect(shape.vocab).toBe(json.vocab_size);
          expect(shape.width).toBe(said('hidden_size', 'n_embd'));
          expect(shape.layers).toBe(said('num_hidden_layers', 'n_layer'));
          expect(shape.heads).toBe(said('num_attention_heads', 'n_head'));
          if (!gpt2) expect(shape.ff).toBe(json.intermediate_size);
          if (!gpt2) expect(shape.kvHeads).toBe(json.num_key_value_heads ?? shape.kvHeads);
          if (typeof json.head_dim === 'number' && !gpt2) expect(shape.headDim).toBe(json.head_dim);
          for (const size of [
            shape.vocab,
            shape.width,
            shape.layers,
            shape.heads,
            shape.kvHeads,
            shape.headDim,
            shape.ff,
            shape.maxPositions,
          ]) {
            expect(Number.isSafeInteger(size) && size > 0).toBe(true);
          }
          expect(shape.heads % shape.kvHeads).toBe(0);
          expect(shape.normEps > 0 && Number.isFinite(shape.normEps)).toBe(true);
          if (shape.rope) {
            expect(shape.rope.theta > 0 && Number.isFinite(shape.rope.theta)).toBe(true);
            if (shape.rope.scaling) expect(shape.rope.scaling.factor > 0).toBe(true);
          }
        },
      );
    },
    TIMEOUT_MS,
  );
});
