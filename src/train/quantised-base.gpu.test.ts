// A base in 8 or 4 bits. A run on it equals, bit for bit, a run in f32 whose frozen weights have the values that the codes stand for; what
// trains has its full precision, and keeps it when it leaves.

import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { RunConfig } from '../config/run-config';
import { bytesByCategory } from '../dispatch/memory';
import { isQuantised, type Quantised } from '../dispatch/types';
import type { Engine } from '../engine/engine';
import { Truth } from '../engine/truth';
import { memoryScratch } from '../io/formats/scratch';
import { nodeSource } from '../io/node/source';
import { parseModelConfig } from '../model/config';
import { parameterTable } from '../model/parameters';
import { elementsOf, type ModelShape, type ParameterRow } from '../model/types';
import { forecast } from '../plan/forecast';
import { evaluationInput } from '../plan/input';
import { RunPlan } from '../plan/run-plan';
import { dequantiseRef, readQuantised } from '../shaders/storage/storage.ref';
import { stepsOf } from '../testing/steps';
import { stepData, tinyConfig, tinyEngine, tinyStep, tinyTensor } from '../testing/tiny';
import { QUANTISABLE, writeQuantisable } from '../testing/quantisable';
import { temporaryFolder } from '../testing/tiny-folder';
import { checkpointTensors, differences, openTiny, readerOf, TestHost, textRows, timeless, TINY_CONFIG } from '../testing/tiny-session';
import { finish } from '../testing/whole-runs';
import { prepareInputs, type RunInputs } from './prepare';
import { tunedTensor } from './tuned';

type Numbers = Float32Array<ArrayBuffer>;

const LLAMA = QUANTISABLE;
/** The feed-forward of the second has rows of 40, which are no multiple of 32. */
const SHAPES: Readonly<Record<string, ModelShape>> = {
  'tied Llama': parseModelConfig(LLAMA, 'test'),
  'untied Llama, feed-forward of 40': parseModelConfig({ ...LLAMA, intermediate_size: 40, tie_word_embeddings: false }, 'test'),
  'GPT-2': parseModelConfig(
    { model_type: 'gpt2', vocab_size: 302, n_embd: 32, n_layer: 4, n_head: 4, n_inner: 64, n_positions: 40 },
    'test',
  ),
};
const OFF = { embedding: false, head: false, norm: false };

/** The values that the GPU's codes of a tensor stand for; those of a tensor that is not quantised. */
async function storedValues(engine: Engine, row: ParameterRow): Promise<Numbers> {
  const stored = engine.storedAs(row);
  const data = tinyTensor(row);
  if (!isQuantised(stored)) return data;
  const words = new Uint32Array((await engine.readStored(row, 0, data.length)).buffer);
  return Float32Array.from(dequantiseRef(readQuantised(words, data.length, stored)));
}

async function valuesOf(engine: Engine, rows: readonly ParameterRow[]): Promise<Numbers[]> {
  const values: Numbers[] = [];
  for (const row of rows) values.push(await engine.readTensor(row));
  return values;
}

const same = (a: Numbers, b: Numbers): boolean => Buffer.compare(Buffer.from(a.buffer), Buffer.from(b.buffer)) === 0;

describe.each(['int8', 'int4'] as const)('%s', (weightStorage: Quantised) => {
  test.each(Object.keys(SHAPES))('%s: as in f32 with the values that the codes stand for', async (name) => {
    const shape = SHAPES[name];
    for (const changes of [{ alwaysOn: OFF }, { method: 'lora' }] satisfies Partial<RunConfig>[]) {
      const config = tinyConfig({ lisaLayers: 1, stepsPerPeriod: 100, ...changes });
      const draws = config.method === 'lisa' ? [[1]] : undefined;
      const engine = await tinyEngine(shape, { ...config, weightStorage }, { draws });
      const wide = await tinyEngine(shape, config, { draws });
      try {
        expect(engine.allocator.reading().live).toEqual(bytesByCategory(engine.plan.allBuffers));
        const quantised = parameterTable(shape).filter((row) => isQuantised(engine.storedAs(row)));
        expect(quantised.some(({ local }) => local.includes('c_proj') || local.includes('down_proj'))).toBe(!name.includes('40'));
        expect(quantised.some(({ layer }) => layer === null)).toBe(true);
        for (const row of parameterTable(shape)) {
          if (config.method === 'lora' || row.layer !== 1) await wide.writeTensor(row, await storedValues(engine, row));
        }
        const outcomes = [];
        for (const each of [engine, wide]) {
          const steps = stepsOf(each, config, () => [1]);
          const told: unknown[] = [];
          for (const seed of [1, 2]) told.push(await steps.take(stepData(tinyStep(shape, seed).microBatches)));
          told.push(await each.evaluate(tinyStep(shape, 9).microBatches[0]), await each.logits([1, 2, 300], 0));
          const trained = parameterTable(shape).filter(({ layer }) => layer === 1 && config.method === 'lisa');
          outcomes.push({ told, trained: await valuesOf(each, trained) });
        }
        expect(outcomes[0]).toEqual(outcomes[1]);
      } finally {
        engine.close();
        wide.close();
      }
    }
  });

  test.each(Object.keys(SHAPES))('%s: rows that train have the values of the file, over a matrix in codes', async (name) => {
    const shape = SHAPES[name];
    const config = tinyConfig({ lisaLayers: 1, stepsPerPeriod: 100, lisaEmbedding: 'rows', lisaHead: 'rows', gradClipMode: 'block' });
    const data = [1, 2].map((seed) => tinyStep(shape, seed));
    const seen = data.flatMap(({ microBatches }) => microBatches.flatMap(({ tokens, labels }) => [...tokens, ...labels]));
    const tokens = Uint32Array.from(new Set(seen)).sort();
    const options = { draws: [[1]], tokens };
    const engine = await tinyEngine(shape, { ...config, weightStorage }, options);
    const wide = await tinyEngine(shape, config, options);
    try {
      expect(engine.allocator.reading().live).toEqual(bytesByCategory(engine.plan.allBuffers));
      for (const row of parameterTable(shape)) {
        if (row.layer === 1 || row.role === 'position') continue;
        const [values, file] = [await storedValues(engine, row), tinyTensor(row)];
        const width = row.shape.at(-1)!;
        if (row.role === 'embedding' || row.role === 'head') {
          expect(isQuantised(engine.storedAs(row))).toBe(true);
          for (const token of tokens) values.set(file.subarray(token * width, (token + 1) * width), token * width);
        }
        await wide.writeTensor(row, values);
      }
      const outcomes = [];
      const vocabulary = parameterTable(shape).filter(({ role }) => role === 'embedding' || role === 'head');
      for (const each of [engine, wide]) {
        const steps = stepsOf(each, config, () => [1]);
        const told: unknown[] = [];
        for (const step of data) told.push(await steps.take(step));
        told.push(await each.evaluate(tinyStep(shape, 9).microBatches[0]), await each.logits([1, 2, 300], 0));
        const rows: Numbers[] = [];
        for (const values of await valuesOf(each, vocabulary))
          rows.push(...[...tokens].map((token) => values.slice(token * 32, token * 32 + 32)));
        outcomes.push({ told, rows });
      }
      expect(outcomes[0]).toEqual(outcomes[1]);
      // Rows of other tokens are the file's, not what the codes stand for.
      for (const row of vocabulary) {
        const [is, file] = [await engine.readTensor(row), tinyTensor(row)];
        for (let at = 0; at < shape.vocab; at++) {
          const [one, other] = [is, file].map((values) => values.slice(at * 32, at * 32 + 32));
          expect(same(one, other), `${row.local}, row ${at}`).toBe(!tokens.includes(at));
        }
      }
    } finally {
      engine.close();
      wide.close();
    }
  });
});

test('a layer that comes back has every bit that it left with, and an untouched one those of the file', async () => {
  const shape = SHAPES['tied Llama'];
  const config = tinyConfig({ lisaLayers: 1, stepsPerPeriod: 2, alwaysOn: OFF, weightStorage: 'int8' });
  const draws = [[1], [2], [1], [3]];
  const engine = await tinyEngine(shape, config, { draws });
  try {
    const steps = stepsOf(engine, config, (period) => draws[period]);
    const rows = (layer: number): ParameterRow[] => parameterTable(shape).filter((row) => row.layer === layer);
    const read = (layer: number): Promise<Numbers[]> => valuesOf(engine, rows(layer));
    const take = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) await steps.take(tinyStep(shape, steps.state.completed));
    };
    await take(2);
    const left = await read(1);
    expect(left.every((values, at) => !same(values, tinyTensor(rows(1)[at])))).toBe(true);
    await take(1);
    expect(engine.layersInMasters).toEqual([2]);
    expect(await read(1)).toEqual(left);
    expect(await read(3)).toEqual(rows(3).map((row) => tinyTensor(row)));
    // It joins with a rate of zero, so its master is what it got.
    const frozen = { ...steps.state.config, lr: 0 };
    const still = stepsOf(engine, frozen, (period) => draws[period]);
    await take(1);
    Object.assign(still.state, { completed: 4, controller: steps.state.controller });
    await still.take(tinyStep(shape, 4));
    expect(engine.layersInMasters).toEqual([1]);
    expect(await read(1)).toEqual(left);
  } finally {
    engine.close();
  }
});

describe('a session', () => {
  const folder = temporaryFolder('quantised');
  afterAll(() => folder.remove());

  async function inputsOf(changes: Partial<RunConfig>): Promise<RunInputs> {
    const path = await writeQuantisable(join(folder.path, 'model'));
    const config: RunConfig = { ...TINY_CONFIG, method: 'lisa', lisaLayers: 1, stepsPerPeriod: 3, weightStorage: 'int8', ...changes };
    return prepareInputs(config, { model: await nodeSource(path), data: textRows(4), evalData: null });
  }

  test.each([
    ['embedding, head and norm frozen', { alwaysOn: OFF }],
    ['everything that is saved, two layers, 8-bit state', { lisaLayers: 2, optimizerState: 'int8', recompute: 'layer' }],
  ] as const)('%s: resumed in the middle of a period it ends with the same bits, and frozen codes are unchanged', async (_, changes) => {
    const inputs = await inputsOf(changes);
    const host = new TestHost();
    host.proof = 'every period';
    const { session } = await openTiny(inputs, null, host);
    expect(session.forecasts.lisa.bytes).toEqual(bytesByCategory(session.engine.plan.allBuffers));
    const whole = await finish(inputs, session, host);
    expect(host.of('verified').map(({ step, changed }) => [step, changed])).toEqual([3, 6, 9, 12].map((step) => [step, []]));
    for (const at of [4, 6, 11]) {
      const second = new TestHost();
      second.proof = 'every period';
      const resumed = await openTiny(inputs, whole.host.checkpoints.at(at), second);
      const again = await finish(inputs, resumed.session, second);
      expect(timeless(second.steps)).toEqual(timeless(whole.host.steps.slice(at)));
      expect(differences(again.weights, whole.weights)).toEqual([]);
      const [want, got] = [await checkpointTensors(host.checkpoints.at(12)), await checkpointTensors(second.checkpoints.at(12))];
      expect(differences(got, want)).toEqual([]);
      expect([...want.keys()].some((key) => key.startsWith('truth/'))).toBe(true);
      expect(again.report.evalLoss).toEqual(whole.report.evalLoss);
    }
  });

  test.each(['lisa', 'lora'] as const)(
    '%s: the loss of the exported model is that of its full precision, in little memory',
    async (method) => {
      const host = new TestHost();
      host.measureExport = true;
      const inputs = await inputsOf({ method, saveEvery: 0, sampleTokens: 1 });
      const { session } = await openTiny(inputs, null, host);
      const { evalLoss } = await session.run();
      const [own, exported] = evalLoss.slice(-2);
      expect([own.step, own.weights, exported.step, exported.weights]).toEqual([12, undefined, 12, 'f32']);
      const wide = (await openTiny(await inputsOf({ method: 'full', weightStorage: 'f32' }))).session;
      for (const row of inputs.files.table) await wide.engine.writeTensor(row, await tunedTensor(session)(row));
      await wide.evaluations.measure(0);
      expect(exported.loss).toBe(wide.evaluations.losses[0].loss);
      expect(exported.loss).not.toBe(own.loss);
      // The embedding is the head here. Of the layers there is one.
      const { weights } = bytesByCategory(new RunPlan(evaluationInput(session.engine.plan.input)).allBuffers);
      const shape = SHAPES['tied Llama'];
      const bytes = (layer: number | null): number =>
        parameterTable(shape).reduce((sum, row) => sum + (row.layer === layer ? 4 * elementsOf(row) : 0), 0);
      expect(weights).toBeGreaterThanOrEqual(bytes(null) + bytes(0));
      expect(weights).toBeLessThan(bytes(null) + 1.2 * bytes(0));
      session.close();
      wide.close();
    },
  );

  test('a checkpoint whose full precision is damaged is refused', async () => {
    const inputs = await inputsOf({ alwaysOn: OFF });
    const { host, session } = await openTiny(inputs);
    await finish(inputs, session, host);
    const file = host.checkpoints.files.get(12)!.slice();
    const text = new TextDecoder('latin1').decode(file);
    const header = JSON.parse(text.slice(8, 8 + new DataView(file.buffer).getUint32(0, true))) as Record<
      string,
      { data_offsets: [number, number] }
    >;
    const name = Object.keys(header).find((key) => key.startsWith('truth/'))!;
    file[8 + new DataView(file.buffer).getUint32(0, true) + header[name].data_offsets[0] + 17] ^= 1;
    await expect(openTiny(inputs, readerOf(file))).rejects.toMatchObject({ code: 'CHECKPOINT_CORRUPT' });
  });
});

test('a scratch file that no longer holds what was written is refused', async () => {
  const shape = SHAPES['tied Llama'];
  const plan = forecast(shape, tinyConfig({ weightStorage: 'int8', alwaysOn: OFF }));
  expect(plan.bytes.masters).toBeGreaterThan(0);
  const scratch = memoryScratch();
  const [row] = parameterTable(shape).filter(({ layer }) => layer === 2);
  const layout = {
    bytes: 4096,
    cuts: [{ at: 0 }],
    decayElements: 0,
    parameters: 1024,
    places: new Map([[row.local, { offset: 0, elements: 1024 }]]),
  };
  const truth = new Truth(() => Promise.reject(new Error('not read')), scratch, layout);
  await truth.write(2, (start, end) => Promise.resolve(new Uint8Array(end - start).fill(7)));
  expect((await truth.tensor(row, 0, 16)).byteLength).toBe(64);
  await scratch.write(2 * 4096, new Uint8Array(4000).fill(7));
  await expect(truth.tensor(row, 0, 16)).rejects.toMatchObject({ code: 'STORAGE' });
});
