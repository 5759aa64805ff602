// Training only the rows of the data's tokens in embedding and head: logits, loss and gradients are those of the whole computation, rows
// of other tokens keep every bit, and what is read back and written is the whole matrix with the rows in it.

import { expect, test } from 'vitest';
import type { RunConfig } from '../config/run-config';
import type { Sample } from '../data/read/types';
import { relativeErrorL2 } from '../testing/compare';
import { stepsOf } from '../testing/steps';
import {
  hashOf,
  microBatch,
  stepData,
  TINY,
  tinyConfig,
  tinyEngine,
  tinySamples,
  tinyTensor,
  TINY_NAMES,
  type TinyName,
} from '../testing/tiny';
import { parameterTable } from '../model/parameters';
import type { ParameterRow } from '../model/types';

const TOKENS = Uint32Array.of(0, 3, 4, 9, 17, 18, 19, 30, 41, 55);
const ON: Partial<RunConfig> = { lisaEmbedding: 'on', lisaHead: 'on', gradClip: 0 };
const ROWS: Partial<RunConfig> = { lisaEmbedding: 'rows', lisaHead: 'rows', gradClip: 0 };

/** Samples of those tokens alone. */
const samplesOf = (name: TinyName, seed: number): Sample[] =>
  tinySamples(TINY[name], [9, 6], seed).map(({ ids, target }) => ({ ids: ids.map((id) => TOKENS[id % TOKENS.length]), target }));
const stepOf = (name: TinyName, seed: number) => stepData([microBatch(samplesOf(name, seed))]);

const isVocabulary = ({ role }: ParameterRow): boolean => role === 'embedding' || role === 'head';

async function engines(name: TinyName, changes: Partial<RunConfig> = {}) {
  const make = async (more: Partial<RunConfig>) => {
    const config = tinyConfig({ ...more, ...changes });
    const engine = await tinyEngine(TINY[name], config, { tokens: TOKENS, types: 'f16' });
    return { engine, steps: stepsOf(engine, config) };
  };
  return { whole: await make(ON), part: await make(ROWS) };
}

// Sums run over the same products in another order: errors of a few units in the last place of f32 (6e-8).
const CLOSE = 2e-6;

test.each(TINY_NAMES)('%s: loss and gradients of one step, two micro-batches', async (name) => {
  const { whole, part } = await engines(name, { lr: 1e-9 });
  const data = stepData([3, 4].map((seed) => microBatch(samplesOf(name, seed))));
  const [a, b] = [await whole.steps.take(data), await part.steps.take(data)];
  expect(Math.abs(a.loss - b.loss)).toBeLessThan(1e-6 * a.loss);
  const worst: Record<string, number> = {};
  for (const row of parameterTable(TINY[name])) {
    if (row.layer !== null) continue;
    const [of, by] = [whole, part].map(({ engine }) => engine.plan.buffers.alwaysOn.get(row.block as 'embedding')!);
    const want = await whole.engine.readGradient(of, row.local);
    const got = await part.engine.readGradient(by, row.local);
    const width = row.shape[1];
    const rows = isVocabulary(row) ? [...TOKENS] : Array.from({ length: got.length / width }, (_, i) => i);
    const wanted = row.shape.length === 1 ? [...want] : rows.flatMap((at) => [...want.subarray(at * width, (at + 1) * width)]);
    expect(got.length).toBe(wanted.length);
    worst[row.local] = relativeErrorL2(got, wanted);
    // Positions that no row of the run reaches have no gradient.
    if (row.role === 'position') expect(want.subarray(got.length).every((value) => value === 0)).toBe(true);
  }
  const layers = whole.steps.state.controller.slots().map(({ layer }) => layer);
  expect(part.steps.state.controller.slots().map(({ layer }) => layer)).toEqual(layers);
  for (const slot of layers.keys()) {
    const [of, by] = [whole, part].map(({ engine }) => engine.plan.buffers.slots[slot]);
    for (const local of of.layout.places.keys())
      worst[`${slot} ${local}`] = relativeErrorL2(await part.engine.readGradient(by, local), await whole.engine.readGradient(of, local));
  }
  console.info(`${name}: worst ${Math.max(...Object.values(worst)).toExponential(1)}`);
  for (const [local, error] of Object.entries(worst)) expect(error, local).toBeLessThan(CLOSE);
  whole.engine.close();
  part.engine.close();
});

test.each([
  ['tied Llama', { weightStorage: 'stored', optimizerState: 'int8', recompute: 'layer' }],
  ['untied Llama', {}],
  ['GPT-2', { weightStorage: 'stored' }],
] as const)('%s, %o: rows of other tokens keep every bit over 12 steps', async (name, changes) => {
  const config = tinyConfig({ ...ROWS, ...changes, gradClip: 1 });
  const shape = TINY[name];
  const engine = await tinyEngine(shape, config, { tokens: TOKENS, types: 'f16' });
  const steps = stepsOf(engine, config);
  const vocabulary = parameterTable(shape).filter(({ layer, block }) => layer === null && block !== 'norm');
  const before = new Map<ParameterRow, Float32Array>();
  for (const row of vocabulary) before.set(row, await engine.readTensor(row));
  // Rows that train come from the file's values, not from those that are stored in 16 bits.
  for (const row of vocabulary.filter(isVocabulary)) {
    const file = tinyTensor(row);
    for (const token of TOKENS)
      expect(before.get(row)!.subarray(token * 16, token * 16 + 16)).toEqual(file.subarray(token * 16, token * 16 + 16));
  }
  const { weights } = engine.plan.buffers.blocks.get('embedding')!;
  const table = await hashOf(engine, weights);
  const losses: number[] = [];
  for (let step = 0; step < 12; step++) losses.push((await steps.take(stepOf(name, step % 2))).loss);
  expect(losses.at(-1)!).toBeLessThan(losses[0] - 0.5);
  for (const [row, was] of before) {
    const is = await engine.readTensor(row);
    const trained = isVocabulary(row) ? new Set(TOKENS) : new Set(Array.from({ length: config.seqLen }, (_, i) => i));
    for (let at = 0; at < row.shape[0]; at++) {
      const same =
        Buffer.compare(Buffer.from(is.slice(at * 16, at * 16 + 16).buffer), Buffer.from(was.slice(at * 16, at * 16 + 16).buffer)) === 0;
      expect(same, `${row.local}, row ${at}`).toBe(!trained.has(at));
    }
  }
  // Nothing is written into the matrix itself; GPT-2's positions lie behind it.
  if (shape.rope) expect(await hashOf(engine, weights)).toBe(table);

  // A model that holds what was read back answers alike, to a unit in the last place: its head takes all rows in one product.
  const other = await tinyEngine(shape, tinyConfig({ ...ON, weightStorage: 'f32' }));
  for (const row of parameterTable(shape)) await other.writeTensor(row, await engine.readTensor(row));
  const prompt = [3, 60 % shape.vocab, 18, 7];
  const [got, want] = [await engine.logits(prompt, 0), await other.logits(prompt, 0)];
  expect(relativeErrorL2(got, want)).toBeLessThan(CLOSE);
  const [batch] = stepOf(name, 5).microBatches;
  expect(Math.abs((await engine.evaluate(batch)) / (await other.evaluate(batch)) - 1)).toBeLessThan(CLOSE);

  // Written in pieces that end within rows, and read in pieces, it is the same.
  const [row] = vocabulary;
  const values = tinyTensor(row, 7);
  for (let start = 0; start < values.length; start += 38) await engine.writeTensor(row, values.slice(start, start + 38), start);
  const whole = await engine.readTensor(row);
  for (let start = 0; start < values.length; start += 50) {
    const end = Math.min(values.length, start + 50);
    expect(await engine.readTensor(row, start, end)).toEqual(whole.slice(start, end));
  }
  for (const token of TOKENS) expect(whole.subarray(token * 16, token * 16 + 16)).toEqual(values.subarray(token * 16, token * 16 + 16));
  engine.close();
  other.close();
});
