// GGUF files read back by a small reader written from the specification. That llama.cpp itself loads them and agrees on the
// numbers is shown by `npm run judge`.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parameterTable } from '../../model/parameters';
import { parseModelConfig } from '../../model/config';
import { Q8_BLOCK, quantizeQ8, writeGguf, type GgufTensor } from './gguf';
import { exportGguf, exportGgufAdapter } from '../../export/gguf/export';
import { ggufArchitecture } from '../../export/gguf/support';
import { architectureKeys, ggufName, pairRows, ropeFactors } from '../../export/gguf/tensors';
import { f16ToF32 } from '../../base/half';
import { openModel } from '../sources/model-files';
import { nodeSource } from '../node/source';
import { TINY_TOKENIZER_CONFIG, tinyTokenizerJson } from '../../testing/tiny-folder';
import { collect, memorySource, modelFolder, tensorsOf, TINY_GEMMA3, TINY_GPT2, TINY_LLAMA, utf8 } from '../../testing/tiny-model';

interface Read {
  readonly metadata: Map<string, unknown>;
  readonly tensors: Map<string, { shape: number[]; type: number; data: DataView }>;
}

function read(bytes: Uint8Array<ArrayBuffer>): Read {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const u32 = (): number => view.getUint32((at += 4) - 4, true);
  const u64 = (): number => Number(view.getBigUint64((at += 8) - 8, true));
  const string = (): string => {
    const size = u64();
    at += size;
    return Buffer.from(bytes.buffer, bytes.byteOffset + at - size, size).toString('utf8');
  };
  const value = (type: number): unknown => {
    if (type === 4) return u32();
    if (type === 5) return view.getInt32((at += 4) - 4, true);
    if (type === 6) return view.getFloat32((at += 4) - 4, true);
    if (type === 7) return view.getUint8(at++) === 1;
    if (type === 8) return string();
    if (type !== 9) throw new Error(`type ${type}`);
    const element = u32();
    return Array.from({ length: u64() }, () => value(element));
  };
  expect(u32()).toBe(0x46554747);
  expect(u32()).toBe(3);
  const [tensorCount, keyCount] = [u64(), u64()];
  const metadata = new Map(Array.from({ length: keyCount }, () => [string(), value(u32())] as const));
  const infos = Array.from({ length: tensorCount }, () => {
    const name = string();
    const shape = Array.from({ length: u32() }, u64).reverse();
    return { name, shape, type: u32(), offset: u64() };
  });
  const start = Math.ceil(at / 32) * 32;
  const ends = [...infos.slice(1).map(({ offset }) => offset), bytes.byteLength - start];
  return {
    metadata,
    tensors: new Map(
      infos.map(({ name, shape, type, offset }, i) => {
        expect(offset % 32).toBe(0);
        return [name, { shape, type, data: new DataView(bytes.buffer, bytes.byteOffset + start + offset, ends[i] - offset) }];
      }),
    ),
  };
}

const floats = (data: DataView, count: number): number[] => Array.from({ length: count }, (_, i) => data.getFloat32(i * 4, true));

describe('the file', () => {
  const tensor = (name: string, shape: number[], type: GgufTensor['type']): GgufTensor => ({
    name,
    shape,
    type,
    pieces: () => [Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i - 3.5)],
  });

  it('comes back as it was written, and is as long as it said', async () => {
    const file = writeGguf(
      new Map([
        ['a', { type: 'string', value: 'größe' }],
        ['b', { type: 'f32', value: 0.5 }],
        ['c', { type: 'strings', value: ['x', ''] }],
        ['d', { type: 'i32s', value: Int32Array.of(-1, 7) }],
        ['e', { type: 'bool', value: true }],
      ]),
      [tensor('one', [3, 5], 'f32'), tensor('two', [2, 3], 'f16'), tensor('three', [2, 64], 'q8_0')],
    );
    const bytes = await collect(file.chunks());
    expect(bytes.byteLength).toBe(file.size);
    const { metadata, tensors } = read(bytes);
    expect([...metadata]).toEqual([
      ['a', 'größe'],
      ['b', 0.5],
      ['c', ['x', '']],
      ['d', [-1, 7]],
      ['e', true],
    ]);
    expect([...tensors].map(([name, { shape, type }]) => [name, shape, type])).toEqual([
      ['one', [3, 5], 0],
      ['two', [2, 3], 1],
      ['three', [2, 64], 8],
    ]);
    expect(floats(tensors.get('one')!.data, 15)).toEqual(Array.from({ length: 15 }, (_, i) => i - 3.5));
  });

  it('refuses a name that occurs twice, and q8_0 rows that do not fit', () => {
    expect(() => writeGguf(new Map(), [tensor('a', [2], 'f32'), tensor('a', [2], 'f32')])).toThrow(/twice/);
    expect(() => writeGguf(new Map(), [tensor('a', [2, 33], 'q8_0')])).toThrow(/multiple of 32/);
  });
});

it('q8_0 is within half a step of every weight', () => {
  const values = Float32Array.from({ length: 4 * Q8_BLOCK }, (_, i) => (i < Q8_BLOCK ? 0 : Math.sin(i * 7.1) * 10 ** ((i >> 5) - 2)));
  const bytes = quantizeQ8(values);
  for (let block = 0; block < 4; block++) {
    const at = block * 34;
    const [scale] = f16ToF32(Uint16Array.of(bytes[at] | (bytes[at + 1] << 8)));
    const most = Math.max(...values.subarray(block * 32, block * 32 + 32).map(Math.abs));
    for (let i = 0; i < 32; i++) {
      const code = (bytes[at + 2 + i] << 24) >> 24;
      // Half a step, and what rounding the scale to f16 adds at the far end.
      expect(Math.abs(code * scale - values[block * 32 + i])).toBeLessThanOrEqual(most / 254 + most * 2 ** -11 + 1e-12);
    }
  }
});

it('rows of a head go from halves to pairs', () => {
  // Two heads of four rows, one value a row.
  expect([...pairRows(Float32Array.of(0, 1, 2, 3, 10, 11, 12, 13), 2, 1)]).toEqual([0, 2, 1, 3, 10, 12, 11, 13]);
});

it.each([
  ['llama', TINY_LLAMA],
  ['gpt2', TINY_GPT2],
  ['gemma3', TINY_GEMMA3],
])('every tensor of a %s model has a name of its own', (_, config) => {
  const shape = parseModelConfig(config, 'config.json');
  const table = parameterTable(shape);
  const names = table.map((row) => ggufName(row, shape));
  expect(names).not.toContain(undefined);
  expect(new Set(names).size).toBe(table.length);
});

it('the built-in model: sizes, types and rows', async () => {
  const files = await openModel(await nodeSource('public/models/wordsmith-2m'));
  const specials = { bosId: 0, eosIds: [2, 0], padId: 0, addBos: false, chatTemplate: 'x' };
  const file = await exportGguf({ files, tensor: files.tensor, type: 'q8_0', specials });
  const bytes = await collect(file.chunks());
  expect(bytes.byteLength).toBe(file.size);
  const { metadata, tensors } = read(bytes);
  expect(metadata.get('general.architecture')).toBe('llama');
  expect(metadata.get('llama.attention.head_count_kv')).toBe(2);
  expect(['eos', 'eot', 'eom'].map((kind) => metadata.get(`tokenizer.ggml.${kind}_token_id`))).toEqual([2, 2, 0]);
  expect((metadata.get('tokenizer.ggml.tokens') as string[]).length).toBe(2048);
  expect(tensors.get('token_embd.weight')).toMatchObject({ shape: [2048, 128], type: 8 });
  expect(tensors.get('blk.7.ffn_down.weight')).toMatchObject({ shape: [128, 352], type: 8 });
  expect(tensors.get('output_norm.weight')).toMatchObject({ shape: [128], type: 0 });
  expect(tensors.has('output.weight')).toBe(false);
});

it('an adapter names A and B of every site, and permutes B of q and k only', async () => {
  const shape = parseModelConfig(JSON.parse(readFileSync('public/models/wordsmith-2m/config.json', 'utf8')), 'config.json');
  const counted = (count: number) => () => Promise.resolve(Float32Array.from({ length: count }, (_, i) => i));
  const site = (part: string, outputs: number) => ({ layer: 1, part, inputs: 128, outputs, a: counted(128), b: counted(outputs) });
  const file = exportGgufAdapter({ shape, name: 'm' }, [site('self_attn.q_proj', 128), site('self_attn.v_proj', 64)], 1, 2);
  const { metadata, tensors } = read(await collect(file.chunks()));
  expect(metadata.get('adapter.lora.alpha')).toBe(2);
  expect([...tensors.keys()]).toEqual(['q', 'v'].flatMap((p) => ['a', 'b'].map((x) => `blk.1.attn_${p}.weight.lora_${x}`)));
  expect(floats(tensors.get('blk.1.attn_q.weight.lora_b')!.data, 4)).toEqual([0, 16, 1, 17]);
  expect(floats(tensors.get('blk.1.attn_v.weight.lora_b')!.data, 4)).toEqual([0, 1, 2, 3]);
});

it('Gemma 3: its window, and norms as factors', async () => {
  const folder = await modelFolder(TINY_GEMMA3, tensorsOf(TINY_GEMMA3).values());
  folder.set('tokenizer.json', utf8(tinyTokenizerJson())).set('tokenizer_config.json', utf8(TINY_TOKENIZER_CONFIG));
  const files = await openModel(memorySource(folder, 'gemma'));
  const specials = { bosId: 0, eosIds: [2], padId: 0, addBos: true, chatTemplate: null };
  const file = await exportGguf({ files, tensor: files.tensor, type: 'f32', specials });
  const { metadata, tensors } = read(await collect(file.chunks()));
  expect(metadata.get('general.architecture')).toBe('gemma3');
  expect(metadata.get('gemma3.attention.sliding_window')).toBe(TINY_GEMMA3.sliding_window);
  for (const [name, hf] of [
    ['blk.5.post_attention_norm', 'model.layers.5.post_attention_layernorm'],
    ['blk.5.ffn_norm', 'model.layers.5.pre_feedforward_layernorm'],
    ['blk.0.attn_q_norm', 'model.layers.0.self_attn.q_norm'],
    ['output_norm', 'model.norm'],
  ]) {
    const row = files.table.find((each) => each.name === `${hf}.weight`)!;
    const want = (await files.tensor(row)).map((weight) => weight + 1);
    expect(floats(tensors.get(`${name}.weight`)!.data, want.length)).toEqual([...want]);
  }
});

describe('a model', () => {
  const shape = (changes: object) => parseModelConfig({ ...TINY_LLAMA, ...changes }, 'config.json');
  const llama3 = { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8 };

  it('that llama.cpp computes otherwise is refused by name', () => {
    expect(() => ggufArchitecture(parseModelConfig({ ...TINY_GPT2, activation_function: 'gelu' }, 'config.json'))).toThrow(
      /tanh form of GELU/,
    );
    const wide = TINY_LLAMA.hidden_size / TINY_LLAMA.num_attention_heads + 2;
    expect(() => ggufArchitecture(shape({ model_type: 'qwen2', head_dim: wide }))).toThrow(/Qwen2 supports only heads of/);
    expect(() => ggufArchitecture(shape({ model_type: 'qwen3', head_dim: wide, attention_bias: true }))).toThrow(
      /does not support attention biases/,
    );
    expect(() => ggufArchitecture(shape({ model_type: 'qwen2', rope_scaling: llama3 }))).toThrow(/does not support llama3 rope scaling/);
    const gemma = (changes: object) => () => ggufArchitecture(parseModelConfig({ ...TINY_GEMMA3, ...changes }, 'config.json'));
    expect(gemma({})()).toBe('gemma3');
    expect(gemma({ sliding_window_pattern: 3 })).toThrow(/each sixth/);
    expect(gemma({ rope_local_base_freq: 500 })).toThrow(/RoPE base of 10,000/);
    expect(gemma({ query_pre_attn_scalar: 11 })).toThrow(/query_pre_attn_scalar/);
    expect(gemma({ final_logit_softcapping: 30 })).toThrow(/cap of logits/);
    expect(ggufArchitecture(shape({ model_type: 'qwen3', head_dim: wide }))).toBe('qwen3');
    expect(ggufArchitecture(shape({ model_type: 'mistral', sliding_window: null }))).toBe('llama');
  });

  it('linear rope scaling is two keys, llama3 a tensor of divisors', () => {
    const linear = architectureKeys(shape({ rope_scaling: { type: 'linear', factor: 2.5 } }), 'llama');
    expect(linear.get('llama.rope.scaling.type')?.value).toBe('linear');
    expect(linear.get('llama.rope.scaling.factor')?.value).toBe(2.5);
    const rope = {
      theta: 10_000,
      scaling: { type: 'llama3', factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalPositions: 8192 } as const,
    };
    expect(ropeFactors({ ...rope, scaling: null }, 64)).toBeNull();
    const { name, shape: sizes, pieces } = ropeFactors(rope, 64)!;
    expect([name, sizes]).toEqual(['rope_freqs.weight', [32]]);
    const [factors] = pieces() as Float32Array[];
    // By wavelength: below 8192 / 4 nothing changes, above 8192 all is divided by 8, in between it goes over.
    factors.forEach((factor, i) => {
      const length = 2 * Math.PI * 10_000 ** ((2 * i) / 64);
      if (length < 2048) expect(factor).toBe(1);
      else if (length > 8192) expect(factor).toBeCloseTo(8, 5);
      else expect(1 / factor).toBeCloseTo((8192 / length - 1) / 3 + (1 - (8192 / length - 1) / 3) / 8, 5);
    });
    expect(new Set(factors).size).toBeGreaterThan(3);
  });
});
