// c = a · b of n × n floats in TensorFlow.js.

import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-webgpu';

/** @param {{ n: number, repeat: number }} task */
export async function prepare({ n, repeat }) {
  if (!(await tf.setBackend('webgpu'))) throw new Error('TensorFlow.js could not start its WebGPU backend.');
  const [a, b] = [tf.fill([n, n], 1), tf.fill([n, n], 0.5)];
  return async () => {
    let c;
    for (let i = 0; i < repeat; i++) {
      c?.dispose();
      c = tf.matMul(a, b);
    }
    const values = await c.data();
    c.dispose();
    return values[values.length - 1];
  };
}
