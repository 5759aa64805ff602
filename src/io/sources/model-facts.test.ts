import { expect, it } from 'vitest';
import { AppError, type ErrorCode } from '../../base/errors';
import { readModelFacts } from './model-facts';
import { memorySource, modelFolder, tensorsOf, TINY_LLAMA, utf8, weightFile, type Files } from '../../testing/tiny-model';

const codeOf = async (files: Files): Promise<ErrorCode | 'accepted'> =>
  readModelFacts(memorySource(files)).then(
    () => 'accepted',
    (thrown: unknown) => (thrown instanceof AppError ? thrown.code : Promise.reject(thrown as Error)),
  );

it('tells shape, parameters, types and bytes, and reads headers only', async () => {
  const files = await modelFolder(TINY_LLAMA);
  files.set('pytorch_model.bin', new Uint8Array(1e6));
  const source = memorySource(files);
  const facts = await readModelFacts(source);
  const parameters = [...tensorsOf(TINY_LLAMA).values()].reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  expect(facts).toMatchObject({ parameters, dtypes: { f32: parameters, f16: 0, bf16: 0 }, shape: { layers: 2, vocab: 11 } });
  const needed = ['config.json', 'model.safetensors', 'tokenizer.json'];
  expect(facts.files).toEqual(needed.map((path) => ({ path, bytes: files.get(path)!.byteLength })));
  expect(facts.bytes).toBe(needed.reduce((sum, path) => sum + files.get(path)!.byteLength, 0));
  // The weights' data was not touched: what was read ends before its first byte.
  const read = source.reads.filter((line) => line.startsWith('model.safetensors')).map((line) => Number(line.split(' ')[1]));
  expect(Math.max(...read)).toBeLessThanOrEqual(files.get('model.safetensors')!.byteLength - 4 * parameters);
});

it('counts every shard and the index', async () => {
  const files = await modelFolder(TINY_LLAMA);
  const tensors = [...tensorsOf(TINY_LLAMA).values()];
  files.delete('model.safetensors');
  files.set('a.safetensors', await weightFile(tensors.slice(0, 3)));
  files.set('b.safetensors', await weightFile(tensors.slice(3)));
  const weight_map = Object.fromEntries(tensors.map(({ name }, i) => [name, i < 3 ? 'a.safetensors' : 'b.safetensors']));
  files.set('model.safetensors.index.json', utf8(JSON.stringify({ weight_map })));
  const facts = await readModelFacts(memorySource(files));
  expect(facts.files.map(({ path }) => path)).toEqual([
    'config.json',
    'model.safetensors.index.json',
    'a.safetensors',
    'b.safetensors',
    'tokenizer.json',
  ]);
});

it('refuses what a run would refuse, by name', async () => {
  const without = async (path: string): Promise<Files> => {
    const files = await modelFolder(TINY_LLAMA);
    files.delete(path);
    return files;
  };
  expect(await codeOf(await without('tokenizer.json'))).toBe('TOKENIZER');
  expect(await codeOf(await without('config.json'))).toBe('MODEL_FILE');
  expect(await codeOf(await without('model.safetensors'))).toBe('MODEL_FILE');
  for (const change of [{ model_type: 'mamba' }, { attention_multiplier: 0.5 }]) {
    const files = await modelFolder(TINY_LLAMA);
    files.set('config.json', utf8(JSON.stringify({ ...TINY_LLAMA, ...change })));
    expect(await codeOf(files)).toBe('MODEL_UNSUPPORTED');
  }
});
