// How weights lie on the GPU does not change what a run computes. They may be packed in 16 bits while they do not train, or cut into as
// many buffers as possible: a step has the same values and the same sums in the same order as with whole blocks in f32. The results are
// equal bit for bit, until a packed layer leaves and is rounded. oracle.gpu.test.ts compares whole blocks with float64 PyTorch.
// LISA_SLOW=1 trains every model with every method.

import { describe, expect, test } from 'vitest';
import type { RunConfig } from '../config/run-config';
import { nodeLab } from '../testing/node-lab';
import { narrow } from '../base/half';
import { decodeTensor } from '../io/formats/safetensors';
import { parameterTable } from '../model/parameters';
import type { ModelShape } from '../model/types';
import { bytesByCategory } from '../dispatch/memory';
import type { PlanOptions } from '../plan/input';
import type { Half } from '../dispatch/types';
import { spyOnBuffers } from '../testing/buffer-spy';
import { SLOW } from '../testing/slow';
import { hashOf, stepData, TINY, tinyConfig, tinyEngine, tinyStep, tinyTensor, weightHashes, type TinyName } from '../testing/tiny';
import type { Engine } from '../engine/engine';
import { stepsOf } from '../testing/steps';

const OFF = { embedding: false, head: false, norm: false };
type Numbers = Float32Array<ArrayBuffer>;
type Draws = readonly (readonly number[])[];

/** The tiny models with a vocabulary that can be cut into five. */
const shapeOf = (name: TinyName): ModelShape => ({ ...TINY[name], vocab: 301 });
const rounded = (values: Numbers, stored: Half): Numbers => decodeTensor(new Uint8Array(narrow(values, stored).buffer), stored);

/** `bits` can hold the weights exactly, whatever type they are stored in. */
interface Layout extends Pick<PlanOptions, 'shardBytes'> {
  readonly bits: Half;
  readonly weightStorage: RunConfig['weightStorage'];
}

async function engineOf(name: TinyName, config: RunConfig, { bits, weightStorage, shardBytes }: Layout, draws?: Draws): Promise<Engine> {
  const shape = shapeOf(name);
  const engine = await tinyEngine(shape, { ...config, weightStorage }, { draws, types: bits, shardBytes });
  for (const row of parameterTable(shape)) await engine.writeTensor(row, rounded(tinyTensor(row), bits));
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

/** Three steps, the later ones of two micro-batches, an evaluation and sampled logits, and what each left behind. */
async function journey(engine: Engine, config: RunConfig, draws: Draws) {
  const { shape } = engine.plan.input;
  const { blocks, alwaysOn, slots } = engine.plan.buffers;
  const steps = stepsOf(engine, config, (period) => draws[period]);
  const [told, norms]: [unknown[], number[]] = [[], []];
  const gradients = new Map<string, Numbers>();
  for (let step = 0; step < 3; step++) {
    const batches = [step, 7].slice(0, step + 1).flatMap((seed) => tinyStep(shape, seed).microBatches);
    const { gradNorm, ...rest } = await steps.take(stepData(batches));
    norms.push(gradNorm);
    told.push(rest);
    if (step > 0 || config.method === 'lora') continue;
    for (const row of [...blocks.values()].flatMap(({ rows }) => rows)) {
      const slot = steps.state.controller.slots().findIndex(({ layer }) => layer === row.layer);
      const of = row.layer === null ? alwaysOn.get(row.block as 'embedding') : slots[slot];
      if (of) gradients.set(row.name, await engine.readGradient(of, row.local));
    }
  }
  const state: string[] = [];
  for (const { m, v } of [...alwaysOn.values(), ...slots]) state.push(await hashOf(engine, m), await hashOf(engine, v));
  told.push(await engine.evaluate(tinyStep(shape, 9).microBatches[0]), await engine.logits([1, 2, 300], 0), await engine.logits([4], 3));
  return { told, norms, state, gradients, values: await valuesOf(engine) };
}

const STAY: Draws = [[1]];
const SWITCH: Draws = [[0, 1], [1]];
const WHOLE = { bits: 'bf16', weightStorage: 'f32' } as const satisfies Layout;
const PACKED = { bits: 'bf16', weightStorage: 'stored' } as const satisfies Layout;
const HALF = { bits: 'f16', weightStorage: 'stored' } as const satisfies Layout;
/** As many buffers as blocks can be cut into. */
const IN_PARTS = { shardBytes: 1 };
/** Two models per type are enough: types differ only in how a quad is loaded. */
const LAYOUTS: readonly { name: string; layout: Layout; of: Layout; draws: Draws; models: readonly TinyName[] }[] = [
  // These runs switch layers: weights that are not packed are not rounded.
  { name: 'f32 in shards', layout: { ...WHOLE, ...IN_PARTS }, of: WHOLE, draws: SWITCH, models: ['GPT-2', 'untied Llama', 'tied Llama'] },
  { name: 'packed f16', layout: HALF, of: { ...HALF, weightStorage: 'f32' }, draws: STAY, models: ['untied Llama', 'GPT-2'] },
  { name: 'packed bf16', layout: PACKED, of: WHOLE, draws: STAY, models: ['tied Llama', 'Qwen3'] },
  // Both layouts round layers that leave.
  { name: 'packed bf16 in shards', layout: { ...PACKED, ...IN_PARTS }, of: PACKED, draws: SWITCH, models: ['untied Llama'] },
];
const METHODS: readonly (readonly [string, Partial<RunConfig>])[] = [
  ['LISA, embedding and head on', {}],
  ['LISA, embedding and head frozen', { alwaysOn: OFF }],
  ['LoRA', { method: 'lora' }],
];

describe.each(LAYOUTS)('$name', ({ layout, of, draws, models }) => {
  test.each(models)('%s: steps, gradients, state, evaluation and sampling equal those of the plainer layout bit for bit', async (name) => {
    // The first model takes every method; the others take the one in which most lies as the layout says: what trains is not packed.
    const own = layout.weightStorage === 'stored' ? 'LISA, embedding and head frozen' : 'LISA, embedding and head on';
    const methods = METHODS.filter(([method]) => SLOW || name === models[0] || method === own);
    for (const [method, changes] of methods) {
      // The gradient norm adds its partial sums by buffer, so it differs by rounding if blocks are cut, and must not clip anything here.
      const cut = layout.shardBytes !== undefined;
      const config = tinyConfig({
        lisaLayers: draws[0].length,
        stepsPerPeriod: draws.length > 1 ? 2 : 100,
        ...(cut && { gradClip: 0 }),
        ...changes,
      });
      const given = config.method === 'lisa' ? draws : undefined;
      const outcomes = [];
      for (const each of [of, layout]) {
        const engine = await engineOf(name, config, each, given);
        try {
          const shards = engine.plan.buffers.blocks.get('embedding')!.weights.shards.length;
          expect(shards > 4, `${method}, cut`).toBe(each.shardBytes !== undefined);
          expect(engine.allocator.reading().live).toEqual(bytesByCategory(engine.plan.allBuffers));
          outcomes.push(await journey(engine, { ...config, weightStorage: each.weightStorage }, draws));
        } finally {
          engine.close();
        }
      }
      const [want, got] = outcomes;
      expect(got.told, method).toEqual(want.told);
      expect(got.state, method).toEqual(want.state);
      expect(differing(got.gradients, want.gradients), method).toEqual([]);
      expect(differing(got.values, want.values), method).toEqual([]);
      expect(got.gradients.size > 0).toBe(config.method === 'lisa');
      const norm = Math.max(...got.norms.map((value, i) => Math.abs(value / want.norms[i] - 1)));
      expect(norm, method).toBeLessThanOrEqual(cut ? 1e-6 : 0);
    }
  });
});

describe.each([HALF, PACKED, { ...PACKED, ...IN_PARTS }])('%o', (layout) => {
  test('a layer that leaves is rounded to nearest, one that never trained keeps its bits, one that comes back starts from what was stored', async () => {
    const name = 'untied Llama';
    const config = tinyConfig({ lisaLayers: 1, alwaysOn: OFF, stepsPerPeriod: 2 });
    const draws = [[0], [2], [0]];
    const engine = await engineOf(name, config, layout, draws);
    try {
      const shape = shapeOf(name);
      const table = parameterTable(shape).filter(({ layer }) => layer === 0);
      const steps = stepsOf(engine, { ...config, weightStorage: 'stored' }, (period) => draws[period]);
      const start = await valuesOf(engine);
      const first = await weightHashes(engine);
      for (let step = 0; step < 2; step++) await steps.take(tinyStep(shape, step));
      const master = await valuesOf(engine);
      expect(differing(start, master)).toEqual(table.map((row) => row.name));
      // The block is unchanged until its layer leaves.
      expect(await weightHashes(engine)).toEqual(first);
      await steps.take(tinyStep(shape, 2));
      const after = await valuesOf(engine);
      for (const row of table) {
        const want = engine.storedAs(row) === 'f32' ? master.get(row.name)! : rounded(master.get(row.name)!, layout.bits);
        expect(differing(new Map([['w', after.get(row.name)!]]), new Map([['w', want]])), row.name).toEqual([]);
      }
      // Some bits must be lost, or this test would not notice a missing rounding.
      expect(differing(master, after)).toContain(table[0].name);
      await steps.take(tinyStep(shape, 3));
      const left = (await weightHashes(engine))['layer.0'];
      await steps.take(tinyStep(shape, 4));
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

test('memory is flat over 30 switches of packed layers, and equals the forecast to the byte', async () => {
  const { gpu } = await nodeLab();
  const name = 'tied Llama';
  const config = tinyConfig({ weightStorage: 'stored', steps: 30, stepsPerPeriod: 1, lisaLayers: 1, lr: 1e-3, alwaysOn: OFF });
  const spy = spyOnBuffers(gpu);
  const draws = Array.from({ length: 30 }, (_, i) => [(i * 7) % 4]);
  const engine = await engineOf(name, config, PACKED, draws);
  try {
    const bytes = [spy.live(), spy.created(), engine.allocator.reading().liveTotal];
    expect(engine.allocator.reading().live).toEqual(bytesByCategory(engine.plan.allBuffers));
    const steps = stepsOf(engine, config, (period) => draws[period]);
    const data = tinyStep(shapeOf(name), 5);
    for (let step = 0; step < 30; step++) {
      expect((await steps.take(data)).bad).toBe(false);
      expect([spy.live(), spy.created(), engine.allocator.reading().liveTotal]).toEqual(bytes);
    }
  } finally {
    engine.close();
    spy.end();
  }
});
