// Weights that lie packed in 16 bits while they do not train. The values are the same, and so is the order of every sum:
// a step equals that of f32 storage bit for bit, until a layer leaves and is rounded.

import { afterAll, describe, expect, test } from 'vitest';
import type { RunConfig } from '../config/run-config';
import { nodeLab } from '../testing/node-lab';
import { narrow } from '../base/half';
import { decodeTensor } from '../io/formats/safetensors';
import { parameterTable } from '../model/parameters';
import { bytesByClass } from '../dispatch/memory';
import { forecast } from '../plan/forecast';
import type { Stored } from '../dispatch/types';
import { spyOnBuffers } from '../testing/buffer-spy';
import { TINY, TINY_NAMES, tinyConfig, tinyEngine, tinyStep, tinyTensor, weightHashes, type TinyName } from '../testing/tiny';
import type { Engine } from '../engine/engine';
import { stepsOf } from '../testing/steps';

const OFF = { embedding: false, head: false, norm: false };
type Numbers = Float32Array<ArrayBuffer>;

const rounded = (values: Numbers, stored: Stored): Numbers => decodeTensor(new Uint8Array(narrow(values, stored).buffer), stored);

/** An engine on weights that 16 bits hold exactly, stored as they came or as f32. */
async function engineOf(name: TinyName, config: RunConfig, stored: Stored, draws: readonly (readonly number[])[]): Promise<Engine> {
  const engine = await tinyEngine(TINY[name], config, { draws, types: stored });
  for (const row of parameterTable(TINY[name])) engine.writeTensor(row, rounded(tinyTensor(row), stored));
  return engine;
}

async function valuesOf(engine: Engine): Promise<Map<string, Numbers>> {
  const values = new Map<string, Numbers>();
  for (const row of parameterTable(engine.plan.input.shape)) values.set(row.name, await engine.readTensor(row));
  for (const [layer, { rows }] of engine.plan.buffers.adapters.entries())
    for (const { local } of rows) values.set(`${layer} ${local}`, await engine.readAdapter(layer, local));
  return values;
}

const differing = (a: ReadonlyMap<string, Numbers>, b: ReadonlyMap<string, Numbers>): string[] =>
  [...a]
    .filter(([name, values]) => Buffer.compare(Buffer.from(values.buffer), Buffer.from(b.get(name)!.buffer)) !== 0)
    .map(([name]) => name);

interface Outcome {
  readonly values: Map<string, Numbers>;
  readonly told: unknown[];
}

async function run(name: TinyName, config: RunConfig, stored: Stored, draws: readonly (readonly number[])[]): Promise<Outcome> {
  const engine = await engineOf(name, config, stored, draws);
  try {
    const steps = stepsOf(engine, config, (period) => draws[period]);
    const told: unknown[] = [];
    for (let step = 0; step < 3; step++) {
      told.push(await steps.take(tinyStep(TINY[name], step)));
    }
    told.push(
      await engine.evaluate(tinyStep(TINY[name], 9).microBatches[0]),
      await engine.logits([1, 2, 3], 0),
      await engine.logits([4], 3),
    );
    return { values: await valuesOf(engine), told };
  } finally {
    engine.close();
  }
}

describe.each(['f16', 'bf16'] as const)('%s', (stored) => {
  const methods: readonly (readonly [string, Partial<RunConfig>])[] = [
    ['LISA, embedding and head on', { lisaLayers: 1 }],
    ['LISA, embedding and head frozen', { lisaLayers: 1, lisaTrain: OFF }],
    ['LoRA', { method: 'lora' }],
  ];
  // Two models a type: what differs between types is the load of a quad.
  const models: readonly TinyName[] = stored === 'f16' ? ['untied Llama', 'GPT-2'] : ['tied Llama', 'Qwen3'];
  test.each(models)(
    '%s: steps, evaluation and sampling equal those of f32 storage bit for bit',
    async (name) => {
      for (const [method, changes] of methods) {
        const config = tinyConfig({ ...changes, lisaPeriod: 100 });
        const [wide, packed] = [await run(name, config, stored, [[1]]), await run(name, { ...config, weights: 'stored' }, stored, [[1]])];
        expect(packed.told, method).toEqual(wide.told);
        expect(differing(packed.values, wide.values), method).toEqual([]);
      }
    },
    180_000,
  );

  test('a layer that leaves is rounded to nearest, one that never trained keeps its bits, one that comes back starts from what was stored', async () => {
    const name = 'untied Llama';
    const config = tinyConfig({ weights: 'stored', lisaLayers: 1, lisaTrain: OFF, lisaPeriod: 2 });
    const draws = [[0], [2], [0]];
    const engine = await engineOf(name, config, stored, draws);
    try {
      const table = parameterTable(TINY[name]).filter(({ layer }) => layer === 0);
      const steps = stepsOf(engine, config, (period) => draws[period]);
      const start = await valuesOf(engine);
      const first = await weightHashes(engine);
      for (let step = 0; step < 2; step++) await steps.take(tinyStep(TINY[name], step));
      const master = await valuesOf(engine);
      expect(differing(start, master)).toEqual(table.map((row) => row.name));
      // The block is what it was until its layer leaves.
      expect(await weightHashes(engine)).toEqual(first);
      await steps.take(tinyStep(TINY[name], 2));
      const after = await valuesOf(engine);
      for (const row of table) {
        const want = engine.storedAs(row) === 'f32' ? master.get(row.name)! : rounded(master.get(row.name)!, stored);
        expect(differing(new Map([['w', after.get(row.name)!]]), new Map([['w', want]])), row.name).toEqual([]);
      }
      // Some of it was lost, or this test would not see a rounding that is left out.
      expect(differing(master, after)).toContain(table[0].name);
      await steps.take(tinyStep(TINY[name], 3));
      const left = (await weightHashes(engine))['layer.0'];
      await steps.take(tinyStep(TINY[name], 4));
      expect((await weightHashes(engine))['layer.0']).toBe(left);
      await engine.roundBack();
      const last = await weightHashes(engine);
      for (const block of ['layer.1', 'layer.3', 'embedding', 'head', 'norm']) expect(last[block], block).toBe(first[block]);
      expect(last['layer.0']).not.toBe(left);
      expect(engine.layersInMasters).toEqual([]);
    } finally {
      engine.close();
    }
  });
});

test('memory is flat over 60 switches, and every byte is the forecast', async () => {
  const { gpu } = await nodeLab();
  const name = 'tied Llama';
  const config = tinyConfig({ weights: 'stored', steps: 60, lisaPeriod: 1, lisaLayers: 1, lr: 1e-3, lisaTrain: OFF });
  const spy = spyOnBuffers(gpu);
  const draws = Array.from({ length: 60 }, (_, i) => [(i * 7) % 4]);
  const engine = await engineOf(name, config, 'bf16', draws);
  try {
    const bytes = [spy.live(), spy.created(), engine.allocator.reading().liveTotal];
    expect(engine.allocator.reading().live).toEqual(bytesByClass(engine.plan.allBuffers));
    const steps = stepsOf(engine, config, (period) => draws[period]);
    const data = tinyStep(TINY[name], 5);
    for (let step = 0; step < 60; step++) {
      expect((await steps.take(data)).bad).toBe(false);
      expect([spy.live(), spy.created(), engine.allocator.reading().liveTotal]).toEqual(bytes);
    }
  } finally {
    engine.close();
    spy.end();
  }
});

const kept = new Map<string, number>();
afterAll(() => console.info('bytes of weights and masters, stored against f32:', Object.fromEntries(kept)));

test.each(TINY_NAMES)('%s: what is packed saves half, masters are γ layers, γ = L stays f32', (name) => {
  const shape = TINY[name];
  const of = (weights: RunConfig['weights'], changes: Partial<RunConfig>) =>
    forecast(shape, tinyConfig({ lisaTrain: OFF, ...changes, weights }), 'bf16').bytes;
  for (const lisaLayers of [1, shape.layers]) {
    const [wide, packed] = [of('f32', { lisaLayers }), of('stored', { lisaLayers })];
    kept.set(`${name}, γ = ${lisaLayers}`, (packed.weights + packed.masters) / wide.weights);
    if (lisaLayers === shape.layers) {
      // Layers stay f32; embedding and head never train.
      expect(packed.masters).toBe(0);
    } else {
      expect(packed.masters).toBe(packed.gradients);
    }
  }
  expect(of('stored', { method: 'full' })).toEqual(of('f32', { method: 'full' }));
  expect(of('stored', { method: 'lora' }).masters).toBe(0);
});
