// Runs kernels on the device beside their float64 references, and says which are wrong.

import { AppError } from '../base/errors';
import { Lab } from '../gpu/lab';
import type { Gpu } from '../gpu/device';
import { COMMON_CASES } from './cases';
import { attentionCases, matmulCases } from './family-cases';
import { fusedCases } from './fused-cases';
import { largestError, type KernelCase, type KernelGroup } from './trial';

export interface KernelResult {
  readonly name: string;
  readonly group: KernelGroup;
  /** max|error| / max|reference|; null if it did not run or gave a number that is not finite. */
  readonly error: number | null;
  readonly bound: number;
  readonly right: boolean;
  /** What the device said instead of computing. */
  readonly refused?: string;
}

/** Every kernel that a device may use, at odd sizes and at those of a real model. */
export const ALL_CASES: readonly KernelCase[] = [
  ...COMMON_CASES,
  ...(['register', 'tiles'] as const).flatMap((family) => matmulCases(family, true)),
  ...fusedCases(),
  ...(['software', 'tiles'] as const).flatMap((family) => attentionCases(family, true)),
];

/** What a run's families are held to before the first run on a card: little, in milliseconds. */
export const familyCases = (group: KernelGroup): readonly KernelCase[] =>
  [
    ...(['register', 'tiles'] as const).flatMap((f) => matmulCases(f, false)),
    ...fusedCases(),
    ...(['software', 'tiles'] as const).flatMap((f) => attentionCases(f, false)),
  ].filter((each) => each.group === group);

/** Runs one case. Throws what is not the kernel's fault: a lost device, a lack of memory. */
export async function runCase(lab: Lab, { name, group, bound, make }: KernelCase): Promise<KernelResult> {
  const { dispatches, data, expected, frame } = make();
  try {
    const outputs = await lab.run(
      dispatches,
      data,
      expected.map(({ view }) => view),
      frame,
    );
    const errors = expected.map(({ want }, at) => largestError(outputs[at], want));
    const error = Math.max(...errors);
    return { name, group, bound, error: Number.isFinite(error) ? error : null, right: error <= bound };
  } catch (thrown) {
    if (!(thrown instanceof AppError) || !['SHADER_COMPILE', 'GPU_VALIDATION'].includes(thrown.code)) throw thrown;
    return { name, group, bound, error: null, right: false, refused: thrown.detail };
  }
}

/** Runs cases one after another. `told` is called after each; it may throw to end them. */
export async function checkKernels(
  gpu: Gpu,
  cases: readonly KernelCase[],
  told: (result: KernelResult, done: number) => void = () => undefined,
) {
  const lab = new Lab(gpu);
  const results: KernelResult[] = [];
  for (const each of cases) {
    const result = await runCase(lab, each);
    results.push(result);
    told(result, results.length);
  }
  return results;
}
