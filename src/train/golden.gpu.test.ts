// The built-in model against float64 PyTorch: logits, loss, gradients of every tensor, and AdamW. The reference is
// src/testing/fixtures/wordsmith-2m.golden.json (tools/base-model/golden.py); it does not contain the error of float32 PyTorch itself, so
// the bounds are absolute. Two of the ten AdamW steps run unless LISA_SLOW=1.

import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULTS, type RunConfig } from '../config/run-config';
import { buildMicroBatch, type MicroBatch } from '../data/batch/batch';
import { nodeLab } from '../testing/node-lab';
import { SLOW } from '../testing/slow';
import { BUILTIN_MODELS } from '../io/sources/builtin';
import { openModel } from '../io/sources/model-files';
import { nodeSource } from '../io/node/source';
import { planInput } from '../plan/input';
import { relativeErrorL2 } from '../testing/compare';
import { loadGolden } from '../testing/fixtures';
import { stepData } from '../testing/tiny';
import { Engine } from '../engine/engine';
import { stepsOf } from '../testing/steps';
import { logitRows } from '../testing/logit-rows';

const golden = loadGolden();
const T = golden.input_ids[0].length;
const STEPS = SLOW ? golden.adamw.losses.length : 2;

const config: RunConfig = {
  ...DEFAULTS,
  method: 'full',
  steps: golden.adamw.losses.length,
  seqLen: T,
  batchSize: golden.input_ids.length,
  lr: golden.adamw.lr,
  lrSchedule: 'constant',
  warmup: 0,
  weightDecay: golden.adamw.weight_decay,
  beta1: golden.adamw.betas[0],
  beta2: golden.adamw.betas[1],
  eps: golden.adamw.eps,
  gradClip: 0,
};

/**
 * Rows of `length` inputs; `predicted` says at which positions the next token counts toward the loss. The last row's next token is made up.
 */
function batchOf(length: number, predicted: (position: number) => boolean): MicroBatch {
  return buildMicroBatch(
    golden.input_ids.map((ids) => [
      {
        ids: Uint32Array.from([...ids, 0].slice(0, length + 1)),
        target: Uint8Array.from({ length: length + 1 }, (_, i) => (i > 0 && predicted(i - 1) ? 1 : 0)),
      },
    ]),
  );
}

describe('the built-in model', () => {
  let engine: Engine;
  beforeAll(async () => {
    const directory = fileURLToPath(new URL(`../../public/${BUILTIN_MODELS[0].path}`, import.meta.url));
    const files = await openModel(await nodeSource(directory));
    engine = await Engine.create((await nodeLab()).gpu, planInput(files.shape, config), { validate: true });
    for await (const { row, start, data } of files.pieces()) await engine.writeTensor(row, data, start);
  }, 120_000);
  afterAll(() => engine.close());

  test('logits, from the forward pass of training and from the K/V cache', async () => {
    const { positions, values } = golden.logits;
    const { vocab } = engine.plan.input.shape;
    const want = values.flat();
    const loss = await engine.evaluate(batchOf(T, (position) => positions.includes(position)));
    expect(loss).toBeGreaterThan(0);
    const forward = await logitRows(engine);
    const errors = want.map((row, at) => relativeErrorL2(forward.subarray(at * vocab, (at + 1) * vocab), row));
    const cached: number[] = [];
    for (const [row, ids] of golden.input_ids.entries()) {
      let past = 0;
      for (const [at, position] of positions.entries()) {
        const got = await engine.logits(ids.slice(past, position + 1), past);
        past = position + 1;
        cached.push(relativeErrorL2(got, values[row][at]));
      }
    }
    console.info(
      `logits: worst of the forward pass ${Math.max(...errors).toExponential(1)}, of the cache ${Math.max(...cached).toExponential(1)}`,
    );
    expect(errors).toHaveLength(8);
    expect(Math.max(...errors, ...cached)).toBeLessThanOrEqual(5e-6);
  }, 120_000);

  test(`loss, gradients of all tensors, and ${STEPS} losses of AdamW`, async () => {
    const steps = stepsOf(engine, config);
    const data = stepData([batchOf(T - 1, () => true)]);
    const losses: number[] = [];
    for (let step = 0; step < STEPS; step++) {
      const { loss, gradNorm } = await steps.take(data);
      losses.push(loss);
      if (step > 0) continue;
      const { blocks, alwaysOn, slots } = engine.plan.buffers;
      const worst = { norm: 0, elements: 0, name: '' };
      let tensors = 0;
      let squares = 0;
      for (const { rows } of blocks.values()) {
        for (const row of rows) {
          const want = golden.gradients[row.name];
          const got = await engine.readGradient(row.layer === null ? alwaysOn.get(row.block as 'norm')! : slots[row.layer], row.local);
          expect(row.shape, row.name).toEqual(want.shape);
          const norm = Math.sqrt(got.reduce((sum, value) => sum + value * value, 0));
          const normError = Math.abs(norm - want.norm) / want.norm;
          const elements = Math.sqrt(want.first8.reduce((sum, value, i) => sum + (value - got[i]) ** 2, 0)) / want.norm;
          expect(normError, row.name).toBeLessThanOrEqual(1e-5);
          expect(elements, row.name).toBeLessThanOrEqual(1e-5);
          if (Math.max(normError, elements) > Math.max(worst.norm, worst.elements))
            Object.assign(worst, { norm: normError, elements, name: row.name });
          squares += want.norm ** 2;
          tensors++;
        }
      }
      console.info(
        `gradients: worst ${worst.name}, norm ${worst.norm.toExponential(1)}, first elements ${worst.elements.toExponential(1)} of the norm`,
      );
      expect(tensors).toBe(74);
      expect(Object.keys(golden.gradients)).toHaveLength(74);
      expect(Math.abs(gradNorm / Math.sqrt(squares) - 1)).toBeLessThan(1e-5);
    }
    const errors = losses.map((loss, i) => Math.abs(loss / golden.adamw.losses[i] - 1));
    console.info(
      `losses ${losses.map((loss) => loss.toFixed(4)).join(' ')}, errors ${errors.map((error) => error.toExponential(1)).join(' ')}`,
    );
    expect(Math.abs(losses[0] / golden.loss - 1)).toBeLessThanOrEqual(1e-6);
    expect(Math.max(...errors)).toBeLessThanOrEqual(1e-5);
  }, 300_000);
});
