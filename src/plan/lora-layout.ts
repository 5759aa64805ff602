// The tensors of a LoRA adapter (arXiv 2106.09685) of one layer: for every linear its A matrices side by side
// (they share an input: one matmul) and a B matrix for every slice.

import type { LinearOp } from './ops/linear-op';
import type { ParameterRow } from '../model/types';

export const loraGroup = (op: LinearOp): string => `${op.y}.lora_A`;
/** The value x·Aᵀ. */
export const loraInner = (op: LinearOp): string => `${op.y}.u`;
export const loraA = (slice: string): string => `${slice}.lora_A`;
export const loraB = (slice: string): string => `${slice}.lora_B`;

/** A [r, in] and B [out, r] of every slice of every linear of a layer. */
export function loraRows(linears: readonly LinearOp[], layer: number, rank: number): ParameterRow[] {
  const rows: ParameterRow[] = [];
  const add = (local: string, shape: readonly number[], fused: string | null): void => {
    rows.push({
      name: `layers.${layer}.${local}.weight`,
      local,
      role: 'matrix',
      layer,
      block: `layer.${layer}`,
      shape,
      stored: 'f32',
      master: null,
      shards: 1,
      fused,
    });
  };
  for (const op of linears) {
    for (const slice of op.slices) add(loraA(slice.name), [rank, op.in], loraGroup(op));
    for (const slice of op.slices) add(loraB(slice.name), [slice.out, rank], null);
  }
  return rows;
}
