// Every operation of a layer, by kind; and what follows from a list of them as a whole. The type of the table keeps it complete.

import type { ModelShape } from '../../model/types';
import { attention, type AttentionOp } from './attention';
import { geglu, type GegluOp } from './geglu';
import { gelu, type GeluOp } from './gelu';
import { headNorm, type HeadNormOp } from './head-norm';
import { linear } from './linear';
import type { LinearOp } from './linear-op';
import { norm, type NormOp } from './norm';
import type { Operation } from './op';
import { rope, type RopeOp } from './rope';
import { swiglu, type SwigluOp } from './swiglu';

export type LayerOp = NormOp | LinearOp | HeadNormOp | RopeOp | AttentionOp | GeluOp | SwigluOp | GegluOp;
type Kind = LayerOp['kind'];

const OPERATIONS: { readonly [K in Kind]: Operation<Extract<LayerOp, { kind: K }>> } = {
  norm,
  linear,
  head_norm: headNorm,
  rope,
  attention,
  gelu,
  swiglu,
  geglu,
};

export const operation = <O extends LayerOp>(op: O): Operation<O> => OPERATIONS[op.kind] as unknown as Operation<O>;

/** Width of every value of a layer, in elements a row. */
export function valueWidths(ops: readonly LayerOp[], shape: ModelShape): Map<string, number> {
  const widths = new Map<string, number>([['in', shape.width]]);
  for (const op of ops) {
    widths.set(op.y, operation(op).width(op, shape, widths.get(op.x)!));
    for (const { name, width } of operation(op).auxiliaries(op, shape)) widths.set(name, width);
  }
  return widths;
}

/** Values whose gradient something wants: the layer's input, or tensors that train at or before them. */
export function gradientsWanted(ops: readonly LayerOp[], wantsInput: boolean, trains: (op: LayerOp) => boolean): Set<string> {
  const wanted = new Set<string>(wantsInput ? ['in'] : []);
  for (const op of ops) {
    const residual = op.residual !== undefined && op.residual !== null && wanted.has(op.residual);
    if (wanted.has(op.x) || residual || trains(op)) wanted.add(op.y);
  }
  return wanted;
}
