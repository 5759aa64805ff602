// c = a · b of n × n floats in jax-js.

import { blockUntilReady, defaultDevice, init, numpy as np } from '@jax-js/jax';

/** @param {{ n: number, repeat: number }} task */
export async function prepare({ n, repeat }) {
  if (!(await init('webgpu')).includes('webgpu')) throw new Error('jax-js found no WebGPU device.');
  defaultDevice('webgpu');
  const ones = (value) => np.array(new Float32Array(n * n).fill(value)).reshape([n, n]);
  const [a, b] = [ones(1), ones(0.5)];
  await blockUntilReady([a.ref, b.ref]);
  return async () => {
    let c;
    for (let i = 0; i < repeat; i++) {
      c?.dispose();
      c = np.matmul(a.ref, b.ref);
      // jax-js computes the product only when it is asked for.
      await blockUntilReady(c.ref);
    }
    const values = await c.data();
    return values[values.length - 1];
  };
}
