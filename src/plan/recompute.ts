// Activations that are computed again in the backward pass instead of being kept (Chen et al. 2016, Training Deep Nets with
// Sublinear Memory Cost, arXiv 1604.06174). The unit is a layer: its forward runs again from the residual stream, or from
// between attention and feed-forward, by the same operations and kernels, so that gradients are the same bit for bit.

import type { RunConfig } from '../config/run-config';
import type { ModelShape } from '../model/types';
import { operation, type LayerOp } from './ops/registry';

type Recompute = RunConfig['recompute'];

/** First operation of a layer whose values are computed again; the list's length if none is. */
function startOf(ops: readonly LayerOp[], mode: Recompute): number {
  if (mode === 'layer') return 0;
  // 'mid' is kept, and what comes after it is computed again.
  return mode === 'mlp' ? ops.findIndex(({ y }) => y === 'mid') + 1 : ops.length;
}

/** The values that need no buffer of their own from the forward to the backward: the backward computes them again. */
export function recomputedValues(ops: readonly LayerOp[], shape: ModelShape, mode: Recompute): Set<string> {
  // What makes the residual stream after the layer does not run again, because the next layer keeps that; a number beside it is kept, too.
  const again = ops.slice(startOf(ops, mode)).filter(({ y }) => y !== 'out');
  return new Set(
    again.flatMap((op) => [
      op.y,
      ...operation(op)
        .auxiliaries(op, shape)
        .map(({ name }) => name),
    ]),
  );
}

/** The operations that the backward runs again, in their order: those that make, directly or not, a recomputed value that it `reads`. */
export function operationsAgain(ops: readonly LayerOp[], shape: ModelShape, mode: Recompute, reads: ReadonlySet<string>): LayerOp[] {
  const wanted = new Set(reads);
  const again: LayerOp[] = [];
  for (const op of ops.slice(startOf(ops, mode)).reverse()) {
    const made = [
      op.y,
      ...operation(op)
        .auxiliaries(op, shape)
        .map(({ name }) => name),
    ];
    // The residual stream after the layer is the next layer's, which keeps it.
    if (op.y === 'out' || !made.some((name) => wanted.has(name))) continue;
    again.unshift(op);
    // An operation in place makes its value out of the one before it.
    if (op.x !== op.y) wanted.delete(op.y);
    wanted.add(op.x);
    if (op.residual) wanted.add(op.residual);
  }
  return again;
}
