// GPU memory of each part of the model: its weights and, while it trains, its gradient, m and v.

import type { AlwaysOnName } from './run-buffers';
import type { RunPlan } from './run-plan';

/** Bytes that a part of the model has on the GPU, as the ledger counts them. */
export interface BlockBytes {
  /** embedding, layer.0 … layer.L−1, norm, head (absent if it is tied). */
  readonly name: string;
  readonly weights: number;
  /** Gradient, m and v while it trains (a sampled layer has them in its slot); 0 if it never trains. */
  readonly gradient: number;
  readonly m: number;
  readonly v: number;
  /** Trains at every step. */
  readonly always: boolean;
}

/** Counts the buffers that the run allocated; the bottom of the stack comes first. */
export function blockBytes(plan: RunPlan): BlockBytes[] {
  const { blocks, alwaysOn, slots, adapters } = plan.buffers;
  const { method, updateAtOnce } = plan.input;
  // What all layers share counts for the lowest.
  const shares = (layer: string | undefined): boolean => updateAtOnce && method !== 'lisa' && layer !== undefined && layer !== '0';
  return [...blocks].map(([name, { weights }]) => {
    const always = alwaysOn.get(name as AlwaysOnName);
    const layer = /^layer\.(\d+)$/.exec(name)?.[1];
    const trained = layer === undefined ? always : slots[method === 'lisa' ? 0 : Number(layer)];
    return {
      name,
      weights: weights.bytes + (layer === undefined ? 0 : (adapters[Number(layer)]?.weights.bytes ?? 0)),
      gradient: shares(layer) ? 0 : (trained?.gradient.bytes ?? 0),
      m: trained?.m.bytes ?? 0,
      v: trained?.v.bytes ?? 0,
      always: trained !== undefined && (layer === undefined || method !== 'lisa'),
    };
  });
}
