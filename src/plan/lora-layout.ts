// The tensors of a LoRA adapter (arXiv 2106.09685) of one layer: for every linear its A matrices side by side
// (they share an input: one matmul) and a B matrix for every named part.

import type { LayerOp, LinearOp } from '../model/layer-ops';
import type { ParameterRow } from '../model/types';

export const loraGroup = (op: LinearOp): string => `${op.y}.lora_A`;
export const loraA = (part: string): string => `${part}.lora_A`;
export const loraB = (part: string): string => `${part}.lora_B`;

/** A [r, in] and B [out, r] of every part of every linear of a layer. */
export function loraRows(ops: readonly LayerOp[], layer: number, rank: number): ParameterRow[] {
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
      parts: 1,
      fused,
    });
  };
  for (const op of ops) {
    if (op.kind !== 'linear') continue;
    for (const part of op.parts) add(loraA(part.name), [rank, op.in], loraGroup(op));
    for (const part of op.parts) add(loraB(part.name), [part.out, rank], null);
  }
  return rows;
}
