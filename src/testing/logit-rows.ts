// The logits of the last chunk that an engine computed, row after row without the padding of rows.

import type { Engine } from '../engine/engine';

export async function logitRows(engine: Engine): Promise<Float32Array<ArrayBuffer>> {
  const { logits, logitsStride: stride } = engine.plan.buffers;
  const { vocab } = engine.plan.input.shape;
  const padded = new Float32Array((await engine.readWhole(logits)).buffer);
  const rows = new Float32Array(Math.floor(padded.length / stride) * vocab);
  for (let row = 0; row * stride + vocab <= padded.length; row++)
    rows.set(padded.subarray(row * stride, row * stride + vocab), row * vocab);
  return rows;
}
