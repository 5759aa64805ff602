// Fused products against float64 norm, product and operation, one after the other. LISA_SLOW=1 runs all; the others differ in a tile, a bias or a
// format, which tests of the plain products cover. Each kernel takes seconds to compile.

import { expect, it } from 'vitest';
import { scratch } from '../gpu/lab';
import { fusedMatmul, type FusedArgs } from '../shaders/matmul/fused';
import { nodeLab } from '../testing/node-lab';
import { SLOW } from '../testing/slow';
import { fusedCases } from './fused-cases';
import { runCase } from './kernels';

const CHOSEN = /layer norm and|RMS norm and|feed-forward|sum of/;

it.each(
  fusedCases()
    .filter(({ name }) => SLOW || CHOSEN.test(name))
    .map((each) => [each.name, each] as const),
)('%s', { timeout: 300_000 }, async (name, each) => {
  const result = await runCase(await nodeLab(), each);
  console.info(`${name}: ${result.error?.toExponential(1) ?? result.refused}`);
  expect(result.right, result.refused).toBe(true);
});

it.each<[string, Partial<FusedArgs>]>([
  ['act', { epilogue: { kind: 'swiglu', act: scratch('act', 8 * 7), keep: true } }],
  ['gu', { epilogue: { kind: 'swiglu_bwd', gu: scratch('gu', 8 * 31) } }],
  ['n', { n: 10 }],
  ['a', { k: 9 }],
  ['y', { y: scratch('y', 8 * 15) }],
])('refuses a wrong %s', (binding, wrong) => {
  const sizes = { m: 8, n: 16, k: 8, a: scratch('a', 8 * 8), b: scratch('b', 16 * 8), y: scratch('y', 8 * 16) };
  const epilogue = { kind: 'swiglu', act: scratch('act', 8 * 8), keep: true } as const;
  expect(() => fusedMatmul({ label: 'test', layout: 'nt', live: { extent: 'rows' }, ...sizes, epilogue, ...wrong })).toThrow(
    `, ${binding}:`,
  );
});
