import { expect, test } from 'vitest';
import type { TensorToWrite } from './safetensors';
import { parseHeader } from './safetensors';
import { isWeightFile, weightFiles, type Weights } from './shards';
import { collect } from '../../testing/tiny-model';

const tensor = (name: string, elements: number, dtype: TensorToWrite['dtype'] = 'f32'): TensorToWrite => ({
  name,
  dtype,
  shape: [elements],
  data: (start, end) => Float32Array.from({ length: end - start }, (_, i) => start + i),
});

async function contents({ files }: Weights): Promise<[string, string[]][]> {
  const found: [string, string[]][] = [];
  for (const { path, file } of files) {
    const bytes = await collect(file.chunks());
    expect(bytes.byteLength).toBe(file.size);
    found.push([path, [...parseHeader(bytes, bytes.byteLength, path).tensors.keys()]]);
  }
  return found;
}

test('up to the limit there is one file and no index', async () => {
  const weights = weightFiles([tensor('b', 10), tensor('a', 10)], 80);
  expect(weights.index).toBeNull();
  expect(await contents(weights)).toEqual([['model.safetensors', ['a', 'b']]]);
});

test('above it each shard is filled in the model’s order, and the index says where everything is', async () => {
  const weights = weightFiles([tensor('z', 8), tensor('y', 4, 'f16'), tensor('x', 1), tensor('big', 100), tensor('w', 2)], 44);
  expect(await contents(weights)).toEqual([
    ['model-00001-of-00003.safetensors', ['x', 'y', 'z']],
    ['model-00002-of-00003.safetensors', ['big']],
    ['model-00003-of-00003.safetensors', ['w']],
  ]);
  expect(JSON.parse(weights.index!)).toEqual({
    metadata: { total_size: 32 + 8 + 4 + 400 + 8 },
    weight_map: {
      big: 'model-00002-of-00003.safetensors',
      w: 'model-00003-of-00003.safetensors',
      x: 'model-00001-of-00003.safetensors',
      y: 'model-00001-of-00003.safetensors',
      z: 'model-00001-of-00003.safetensors',
    },
  });
});

test('names of weights, and what only looks like them', () => {
  const names = ['model.safetensors', 'model.safetensors.index.json', 'model-00002-of-00012.safetensors'];
  expect(names.every(isWeightFile)).toBe(true);
  expect(
    ['adapter_model.safetensors', 'my-model.safetensors', 'model.safetensors.bak', 'model-1-of-2.safetensors'].some(isWeightFile),
  ).toBe(false);
});
