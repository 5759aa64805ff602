import { expect, it } from 'vitest';
import { scratch } from '../../gpu/lab';
import { nodeLab } from '../../testing/node-lab';
import { randomArray } from '../../testing/compare';
import { Inputs } from '../../testing/rowwise';
import { crossEntropy } from './cross_entropy';
import { softcap } from './softcap';

const CAP = 3;
const LABEL = 4;

/** Loss of a row, and its gradient in the logits before the cap, by finite differences in float64. */
function reference(row: Float32Array, scale: number): { capped: number[]; loss: number; gradient: number[] } {
  const capOf = (x: number): number => CAP * Math.tanh(x / CAP);
  const lossOf = (x: readonly number[]): number => Math.log(x.reduce((sum, v) => sum + Math.exp(capOf(v)), 0)) - capOf(x[LABEL]);
  const values = Array.from(row);
  const h = 1e-5;
  const moved = (at: number, by: number): number[] => values.map((x, i) => (i === at ? x + by : x));
  const gradient = values.map((_, at) => ((lossOf(moved(at, h)) - lossOf(moved(at, -h))) / (2 * h)) * scale);
  return { capped: values.map(capOf), loss: lossOf(values), gradient };
}

it.each([12, 13])('caps %i logits, and the loss has the gradient of the logits before', async (width) => {
  const lab = await nodeLab();
  const rows = 5;
  const live = 3;
  // From far inside the cap to far beyond it.
  const values = randomArray(rows * width, width).map((x, i) => x * 10 ** ((i % 5) - 2));
  const inputs = new Inputs();
  const logits = inputs.f32('logits', values);
  const labels = inputs.u32('labels', new Uint32Array(rows).fill(LABEL));
  const losses = scratch('losses', rows);
  const common = { label: 'test', rows, live: { extent: 'targets' } as const };
  const cap = softcap({ ...common, x: logits, cap: CAP, stride: width });
  const [capped] = await lab.run([cap], inputs.data, [logits], { extents: { targets: live } });
  const loss = crossEntropy({ ...common, logits, labels, losses, vocab: width, train: true, cap: CAP });
  const [gradient, found] = await lab.run([cap, loss], inputs.data, [logits, losses], { extents: { targets: live }, lossScale: 0.5 });
  for (let row = 0; row < live; row++) {
    const want = reference(values.subarray(row * width, (row + 1) * width), 0.5);
    want.capped.forEach((value, i) => expect(Math.abs(capped[row * width + i] - value)).toBeLessThan(1e-6 * Math.abs(value) + 1e-9));
    expect(found[row]).toBeCloseTo(want.loss, 5);
    want.gradient.forEach((value, i) => expect(gradient[row * width + i]).toBeCloseTo(value, 6));
  }
  expect(capped.subarray(live * width, rows * width)).toEqual(values.subarray(live * width));
});
