// Every kernel of runs of public models through naga, which compiles for Firefox: a second compiler beside Dawn's, without a GPU.

import { expect, test } from 'vitest';
import { nagaFaults } from './naga.mjs';
import { FAMILIES, kernels } from './plans';

test('naga takes all kernels, and refuses a wrong one', async () => {
  const all = kernels(FAMILIES, 'few');
  expect(all.length).toBeGreaterThan(100);
  expect(await nagaFaults(all)).toEqual([]);
  const [first] = all;
  const broken = { key: 'broken', wgsl: first.wgsl.replace('fn main(', 'fn main(@builtin(no_such_thing) wrong: u32, ') };
  expect(await nagaFaults([broken])).toHaveLength(1);
});
