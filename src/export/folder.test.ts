import { describe, expect, it } from 'vitest';
import type { Dtype, ParameterRow } from '../model/types';
import { exportModel, withDtype, type ExportedModel } from './folder';
import { openModel, type ModelFiles } from '../io/sources/model-files';
import { collect, memorySource, modelFolder, tensorsOf, TINY_GPT2, TINY_LLAMA, utf8, type Files } from '../testing/tiny-model';

const tiny = async (config: object = TINY_LLAMA): Promise<ModelFiles> => openModel(memorySource(await modelFolder(config)));

async function written(model: ExportedModel): Promise<Files> {
  const files: Files = new Map();
  for (const file of model.files) {
    const bytes = await collect(file.chunks());
    expect(bytes.byteLength).toBe(file.size);
    files.set(file.path, bytes);
  }
  return files;
}

describe('the exported folder', () => {
  it.each(['f32', 'f16', 'bf16'] as const)('in %s opens again with the same values under the same names', async (dtype) => {
    const files = await tiny();
    const folder = await written(await exportModel({ files, tensor: files.tensor, dtype }));
    expect([...folder.keys()]).toEqual(['model.safetensors', 'tokenizer.json', 'config.json']);
    expect(folder.get('tokenizer.json')).toEqual(utf8('{"version":"1.0"}'));
    const again = await openModel(memorySource(folder));
    expect(again.dtypes[dtype]).toBe(again.dtypes.f32 + again.dtypes.f16 + again.dtypes.bf16);
    for (const row of files.table) {
      expect(again.fileName(row)).toBe(row.name);
      expect(await again.tensor(row)).toEqual(await files.tensor(row));
    }
  });

  it('of an untouched f32 model is byte for byte the same', async () => {
    const folder = await modelFolder(TINY_LLAMA);
    const files = await openModel(memorySource(folder));
    const out = await written(await exportModel({ files, tensor: files.tensor, dtype: 'f32' }));
    for (const [path, bytes] of folder) expect(out.get(path)).toEqual(bytes);
  });

  it('keeps a checkpoint without prefix without it', async () => {
    const bare = [...tensorsOf(TINY_GPT2).values()].map((t) => ({ ...t, name: t.name.replace('transformer.', '') }));
    const files = await openModel(memorySource(await modelFolder(TINY_GPT2, bare)));
    const out = await openModel(memorySource(await written(await exportModel({ files, tensor: files.tensor, dtype: 'f32' }))));
    expect(out.table.every((row) => out.fileName(row) === row.name.replace('transformer.', ''))).toBe(true);
  });

  it('refuses tuned weights that the type cannot hold, and diverged ones', async () => {
    const files = await tiny();
    const holding = (value: number, dtype: Dtype): Promise<Files> => {
      const tensor = async (row: ParameterRow): Promise<Float32Array<ArrayBuffer>> =>
        row.role === 'norm' ? new Float32Array(8).fill(value) : files.tensor(row);
      return exportModel({ files, tensor, dtype }).then(written);
    };
    await expect(holding(65519, 'f16')).resolves.toBeDefined();
    await expect(holding(65520, 'f16')).rejects.toMatchObject({ code: 'NONFINITE_WEIGHTS', remedy: 'Export as bf16 or f32.' });
    await expect(holding(-3.4028234663852886e38, 'bf16')).rejects.toMatchObject({ code: 'NONFINITE_WEIGHTS', remedy: 'Export as f32.' });
    await expect(holding(3.4028234663852886e38, 'f32')).resolves.toBeDefined();
    await expect(holding(NaN, 'f32')).rejects.toMatchObject({
      code: 'NONFINITE_WEIGHTS',
      detail: expect.stringContaining('input_layernorm.weight" holds NaN') as string,
    });
  });
});

describe('survival of rounding', () => {
  /** Norms (5 tensors of 8) hold base values that are exact in 16 bits; tuned ones are moved by delta(i). */
  async function survival(dtype: Dtype, base: number, delta: (i: number) => number): Promise<ReturnType<ExportedModel['survival']>> {
    const tensors = tensorsOf(TINY_LLAMA);
    for (const [name, tensor] of tensors)
      if (name.includes('norm')) tensors.set(name, { ...tensor, data: () => new Float32Array(8).fill(base) });
    const files = await openModel(memorySource(await modelFolder(TINY_LLAMA, tensors.values())));
    const tensor = async (row: ParameterRow): Promise<Float32Array<ArrayBuffer>> =>
      (await files.tensor(row)).map((v, i) => (row.role === 'norm' ? v + delta(i) : v));
    const model = await exportModel({ files, tensor, dtype, original: files.tensor });
    expect(() => model.survival()).toThrow();
    await written(model);
    return model.survival();
  }

  it('counts by hand-made cases', async () => {
    // Around 1, f16 has steps of 2^-10 above: half a step ties back to 1 and is lost, more survives.
    const half = (i: number): number => (i < 3 ? 0 : i < 6 ? 2 ** -11 : 2 ** -11 + 2 ** -20);
    const weights = 11 * 8 + 2 * (64 + 32 + 32 + 64 + 3 * 96 + 16) + 8;
    expect(await survival('f16', 1, half)).toEqual({ dtype: 'f16', weights, changed: 25, survived: 10, share: 0.4 });
    expect(await survival('f32', 1, half)).toEqual({ dtype: 'f32', weights, changed: 25, survived: 25, share: 1 });
    expect(await survival('bf16', 1, half)).toMatchObject({ changed: 25, survived: 0, share: 0 });
    expect(await survival('f16', 1, () => 0)).toMatchObject({ changed: 0, survived: 0, share: null });
    // From +0 to a number that rounds to −0: the codes differ, the value does not.
    expect(await survival('f16', 0, () => -1e-12)).toMatchObject({ changed: 40, survived: 0 });
  });

  it('is not known without the original', async () => {
    const files = await tiny();
    expect((await exportModel({ files, tensor: files.tensor, dtype: 'f16' })).survival()).toBeNull();
  });
});

describe('config.json of an export', () => {
  it.each<[string, string, string]>([
    [
      'the old name',
      '{\n  "a": 1,\n  "torch_dtype": "float16",\n  "z": {"torch_dtype": "x"}\n}\n',
      '{\n  "a": 1,\n  "torch_dtype": "bfloat16",\n  "z": {"torch_dtype": "x"}\n}\n',
    ],
    ['the new name', '{"dtype":null , "vocab_size":1e3}', '{"dtype":"bfloat16" , "vocab_size":1e3}'],
    [
      'both',
      '{"torch_dtype": "auto", "x": "\\"dtype\\":", "dtype" :\t"float32"}',
      '{"torch_dtype": "bfloat16", "x": "\\"dtype\\":", "dtype" :\t"bfloat16"}',
    ],
    ['neither', '{\n    "a": [1, 2],\n    "b": 1.0\n}', '{\n    "a": [1, 2],\n    "b": 1.0,\n    "torch_dtype": "bfloat16"\n}'],
    ['neither, on one line', '{"a":{}}', '{"a":{},"torch_dtype": "bfloat16"}'],
  ])('%s', (_, before, after) => {
    expect(withDtype(before, 'bf16')).toBe(after);
    expect(() => JSON.parse(after) as unknown).not.toThrow();
  });
});
