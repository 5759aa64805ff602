// Training with AdamW's m and v in 8 bits: the loss falls as it does with f32 state, over switches of layers, and the weights
// move nearly the same way. src/shaders/adamw holds the kernel against float64.

import { expect, test } from 'vitest';
import type { RunConfig } from '../config/run-config';
import { relativeErrorL2 } from '../testing/compare';
import { SLOW } from '../testing/slow';
import { stepsOf } from '../testing/steps';
import { TINY, tinyConfig, tinyEngine, tinyStep, tinyTensor, type TinyName } from '../testing/tiny';

async function run(name: TinyName, changes: Partial<RunConfig>) {
  const config = tinyConfig({ lr: 3e-3, weightDecay: 0, ...changes });
  const engine = await tinyEngine(TINY[name], config);
  const steps = stepsOf(engine, config);
  const losses: number[] = [];
  for (let step = 0; step < 30; step++) losses.push((await steps.take(tinyStep(TINY[name], step % 3))).loss);
  const moved: number[] = [];
  for (const { rows } of engine.plan.buffers.blocks.values()) {
    for (const row of rows) {
      const before = tinyTensor(row);
      moved.push(...(await engine.readTensor(row)).map((value, i) => value - before[i]));
    }
  }
  const { optimizer } = engine.allocator.reading().live;
  engine.close();
  return { losses, moved, optimizer };
}

const CASES: readonly (readonly [TinyName, Partial<RunConfig>])[] = [
  ['tied Llama', { method: 'lisa', stepsPerPeriod: 5 }],
  ['GPT-2', { method: 'lisa', stepsPerPeriod: 5, lisaState: 'park' }],
  ...(SLOW ? ([['untied Llama', { method: 'full' }]] as const) : []),
];

test.each(CASES)('%s, %o', async (name, changes) => {
  const wide = await run(name, changes);
  const small = await run(name, { ...changes, optimizerState: 'int8' });
  const last = (losses: readonly number[]): number => losses.slice(-3).reduce((sum, loss) => sum + loss, 0) / 3;
  const off = relativeErrorL2(small.moved, wide.moved);
  console.info(
    `${name}: loss ${wide.losses[0].toFixed(3)} → ${last(wide.losses).toFixed(4)}, in 8 bits ${last(small.losses).toFixed(4)}; ` +
      `updates differ by ${(100 * off).toFixed(1)} %; m and v ${wide.optimizer} → ${small.optimizer} bytes`,
  );
  expect(last(wide.losses)).toBeLessThan(wide.losses[0] - 0.5);
  // What is left of the loss differs by at most a fiftieth of what training took off it.
  expect(Math.abs(last(small.losses) - last(wide.losses))).toBeLessThan(0.02 * (wide.losses[0] - last(wide.losses)));
  expect(off).toBeLessThan(0.15);
  expect(small.optimizer).toBeLessThan(0.3 * wide.optimizer);
});
