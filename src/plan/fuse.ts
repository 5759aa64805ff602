// One pass over a list of operations: where several of them fit a fusion, it takes their place.

import type { Dispatch } from '../dispatch/types';
import { activationLinear } from './ops/fused/activation-linear';
import { feedForward } from './ops/fused/feed-forward';
import type { Fusion } from './ops/fused/fusion';
import { projection } from './ops/fused/projection';
import { ropeAttention } from './ops/fused/rope-attention';
import type { BackwardSite, ForwardSite, Site } from './ops/op';
import { operation, type LayerOp } from './ops/registry';

/** The first that fits is taken. */
const FORWARD: readonly Fusion<ForwardSite>[] = [projection];
const BACKWARD: readonly Fusion<BackwardSite>[] = [feedForward, activationLinear, ropeAttention];

/** The list, top to bottom. */
export const forwardOf = (ops: readonly LayerOp[], site: ForwardSite): Dispatch[] =>
  walk(ops, site, FORWARD, (op) => operation(op).forward(op, site));

/** The list from bottom to top. */
export const backwardOf = (ops: readonly LayerOp[], site: BackwardSite): Dispatch[] =>
  walk([...ops].reverse(), site, BACKWARD, (op) => operation(op).backward(op, site));

function walk<S extends Site>(
  ops: readonly LayerOp[],
  site: S,
  fusions: readonly Fusion<S>[],
  alone: (op: LayerOp) => Dispatch[],
): Dispatch[] {
  const dispatches: Dispatch[] = [];
  for (let at = 0; at < ops.length;) {
    const left = ops.slice(at);
    const fused = fusions.reduce<ReturnType<Fusion<S>>>((found, fusion) => found ?? fusion(left, site), null);
    dispatches.push(...(fused?.dispatches ?? alone(ops[at])));
    at += fused?.takes ?? 1;
  }
  return dispatches;
}
