// What the emitters of a plan share: where values live, and the marks of short-lived buffers that the planner
// replaces by pool buffers once it knows their lifetimes.

import type { BlockName } from '../model/types';
import type { Block, RunBuffers, Slot } from './run-buffers';
import type { PlanInput } from './input';
import { tensorView } from './sharded-buffer';
import { FULL_VIEW, roundUp, type BufferSpec, type Segment, type View } from '../dispatch/types';

/** Dispatches of one unit of work; segments are its parts, and lifetimes of transients are found over the whole unit. */
export interface Unit {
  readonly name: string;
  readonly segments: readonly Segment[];
  readonly transients: Transients;
}

/** Short-lived values of one unit, by name. */
export class Transients {
  readonly specs = new Map<string, BufferSpec>();

  view(name: string, elements: number): View {
    let spec = this.specs.get(name);
    if (!spec) {
      spec = { name: `~${name}`, bytes: roundUp(elements * 4, 16), memory: 'activations', kind: 'storage' };
      this.specs.set(name, spec);
    }
    return FULL_VIEW(spec);
  }
}

export interface Context {
  readonly input: PlanInput;
  readonly buffers: RunBuffers;
}

export function block(context: Context, name: BlockName): Block {
  return context.buffers.blocks.get(name)!;
}

function weightView(context: Context, name: BlockName, tensor: string): View {
  const { weights, layout } = block(context, name);
  return tensorView(weights, layout, tensor);
}

/** Weights of a layer: its master while it trains in a slot that has one, else as they are stored. */
export function layerWeight(context: Context, layer: number, role: Slot | null, tensor: string): View {
  return role?.master ? tensorView(role.master, role.layout, tensor) : weightView(context, `layer.${layer}`, tensor);
}

export const liveRows = { extent: 'rows' } as const;
