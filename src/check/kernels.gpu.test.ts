// The check of a device, on the one that tests have. LISA_SLOW=1 adds the families, whose kernels have tests of their own and take long to compile.

import { describe, expect, it } from 'vitest';
import { nodeLab } from '../testing/node-lab';
import { SLOW } from '../testing/slow';
import { ALL_CASES, runCase } from './kernels';

const cases = ALL_CASES.filter(({ group }) => SLOW || group === 'all');

describe('every kernel against its reference', () => {
  it.each(cases.map((each) => [each.group, each.name, each] as const))('%s: %s', { timeout: 300_000 }, async (_, name, each) => {
    const result = await runCase(await nodeLab(), each);
    console.info(`${name}: ${result.error?.toExponential(1) ?? result.refused}, at most ${each.bound.toExponential(1)}`);
    expect(result.right).toBe(true);
  });
});

it('a kernel that computes something else, writes nothing or does not compile is found', async () => {
  const lab = await nodeLab();
  const [sums] = ALL_CASES.filter(({ name }) => name === 'sums of columns');
  const broken = (change: (wgsl: string) => string) =>
    runCase(lab, {
      ...sums,
      make: () => {
        const trial = sums.make();
        const dispatches = trial.dispatches.map(({ kernel, ...rest }, at) => {
          const wgsl = change(kernel.wgsl);
          return { ...rest, kernel: { ...kernel, key: `${kernel.key} ${wgsl.length} ${at}`, wgsl } };
        });
        return { ...trial, dispatches };
      },
    });
  expect((await broken((wgsl) => wgsl)).right).toBe(true);
  expect((await broken((wgsl) => wgsl.replace('slice < SLICES', 'slice < SLICES - 1u'))).right).toBe(false);
  expect((await broken((wgsl) => wgsl.replace('db[column] = result;', ''))).error).toBeNull();
  expect((await broken((wgsl) => wgsl.replace('var result', 'var result result'))).refused).toMatch(/does not compile/);
});
