// The fixtures are consistent and have the names of the engine's parameter table.

import { describe, expect, it } from 'vitest';
import { exportModel } from '../export/folder';
import { openModel } from '../io/sources/model-files';
import { nodeSource } from '../io/node/source';
import { collect, memorySource, type Files } from './tiny-model';
import { roundedRef } from '../shaders/storage/storage.ref';
import { FIXTURES, loadFixture, loadGolden, relativeError, RUNS } from './fixtures';
import { loadStoredFixture, STORED_FIXTURES } from './stored-fixtures';

const layerOf = (tensor: string): number | null => {
  const found = /\.(?:h|layers)\.(\d+)\./.exec(tensor);
  return found ? Number(found[1]) : null;
};

describe.each(FIXTURES)('%s', (name) => {
  const fixture = loadFixture(name);

  it('has a gradient of the right shape, well above zero, for every weight', () => {
    expect([...fixture.gradients.gradients.keys()].sort()).toEqual([...fixture.weights.keys()].sort());
    for (const [tensor, gradient] of fixture.gradients.gradients) {
      expect(gradient.shape).toEqual(fixture.weights.get(tensor)?.shape);
      const rms = Math.sqrt(gradient.values.reduce((sum, g) => sum + g * g, 0) / gradient.values.length);
      expect(rms, tensor).toBeGreaterThan(1e-3);
      expect(fixture.gradients.float32.gradients[tensor], tensor).toBeLessThan(1e-5);
    }
  });

  it('opens as a model, and exports under the names that it came with', async () => {
    const model = await openModel(await nodeSource(fixture.directory));
    expect(model.table.map((row) => row.name).sort()).toEqual([...fixture.weights.keys()].sort());
    const files: Files = new Map();
    const { files: exported } = await exportModel({ files: model, tensor: model.tensor, dtype: 'f32' });
    for (const file of exported) files.set(file.path, await collect(file.chunks()));
    const again = await openModel(memorySource(files));
    expect(again.shape).toEqual(model.shape);
    for (const row of again.table) {
      expect(again.fileName(row)).toBe(row.name);
      expect(row.shape).toEqual(fixture.weights.get(row.name)?.shape);
      expect(await again.tensor(row), row.name).toEqual(fixture.weights.get(row.name)?.values);
    }
  });

  it('has batches that a model of 64 positions can take', () => {
    for (const batch of fixture.batches) {
      for (const { ids, target } of batch) {
        expect(target).toHaveLength(ids.length);
        expect(target[0]).toBe(0);
        expect(ids.every((id) => Number.isInteger(id) && id >= 0 && id < fixture.vocab)).toBe(true);
        expect(ids.length - 1).toBeLessThanOrEqual(37);
      }
      expect(batch.reduce((sum, { ids }) => sum + ids.length - 1, 0)).toBeLessThanOrEqual(75);
    }
  });

  it('has a loss that follows from the logits', () => {
    const { logits, targets, loss, batch } = fixture.gradients;
    expect(logits.shape).toEqual([targets, fixture.vocab]);
    const labels = fixture.batches[batch].flatMap(({ ids, target }) => ids.filter((_, i) => target[i]));
    const losses = labels.map((label, row) => {
      const values = logits.values.subarray(row * fixture.vocab, (row + 1) * fixture.vocab);
      return Math.log(values.reduce((sum, x) => sum + Math.exp(x), 0)) - values[label];
    });
    expect(losses.reduce((sum, x) => sum + x, 0) / targets).toBeCloseTo(loss, 6);
  });

  it.each(RUNS)('has a run %s whose updates are of the tensors that it trains', (run) => {
    const { method, lisa, updates, steps, microBatches, losses, stateSteps, float32 } = fixture.run(run);
    expect([microBatches.length, losses.length]).toEqual([steps, steps]);
    const ends = [...fixture.weights.keys()].filter((tensor) => layerOf(tensor) === null);
    const inLayers = [...fixture.weights.keys()].filter((tensor) => layerOf(tensor) !== null);
    const trained = method === 'lora' ? [...fixture.adapters.keys()] : lisa?.train.embedding === false ? inLayers : [...ends, ...inLayers];
    expect([...updates.keys()].sort()).toEqual(trained.sort());
    expect(Object.keys(float32.updates).sort()).toEqual(trained);
    for (const tensor of trained) {
      const held = stateSteps[tensor];
      const layer = layerOf(tensor);
      // A layer's count covers only its last unbroken stay.
      const last = lisa?.draws.findLastIndex((layers) => layer !== null && !layers.includes(layer)) ?? -1;
      const expected = lisa && layer !== null ? (lisa.draws.length - 1 - last) * lisa.period : steps;
      expect(held ?? 0, tensor).toBe(expected);
      expect(
        updates.get(tensor)!.values.some((x) => x !== 0),
        tensor,
      ).toBe(true);
    }
  });
});

describe.each(STORED_FIXTURES)('%s', (name) => {
  const { weights, stored, gradients, run } = loadStoredFixture(name);

  it('holds values of 16 bits, and has a gradient for every weight', () => {
    for (const [tensor, { shape, values }] of weights) {
      expect(gradients.gradients.get(tensor)?.shape, tensor).toEqual(shape);
      expect(
        values.every((value) => roundedRef(value, stored) === value),
        tensor,
      ).toBe(true);
    }
  });

  it('has stays of the layers that leave, and their rounded weights if these are packed', () => {
    const { draws } = run.lisa;
    const left = draws.flatMap((layers, at) => layers.filter((layer) => !draws[at + 1]?.includes(layer)).map((layer) => ({ at, layer })));
    expect(left).toHaveLength(3);
    const keys = left.flatMap(({ at, layer }) =>
      [...weights.keys()].filter((tensor) => layerOf(tensor) === layer).map((t) => `${at}/${t}`),
    );
    expect([...run.moved.keys()].sort()).toEqual(keys.sort());
    const packed = keys.filter((key) => run.packed.includes(key.slice(key.indexOf('/') + 1)));
    expect(packed.length).toBeLessThan(keys.length);
    expect([...run.left.keys()].sort()).toEqual(packed);
    for (const [key, { values }] of run.left) {
      expect(
        values.every((value) => roundedRef(value, stored) === value),
        key,
      ).toBe(true);
    }
  });
});

it('reads the golden values of the built-in model', () => {
  const golden = loadGolden();
  expect(Object.keys(golden.gradients)).toHaveLength(74);
  expect(golden.adamw.losses).toHaveLength(10);
});

it('measures errors in the L2 norm, without the skipped elements', () => {
  expect(relativeError([1, 2, 3], [1, 2, 4])).toBeCloseTo(1 / Math.sqrt(21), 12);
  expect(relativeError([1, 9, 3], [1, 0, 3], [{ from: 1, to: 2 }])).toBe(0);
});
