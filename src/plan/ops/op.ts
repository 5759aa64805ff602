// What an operation of a layer is: how wide its output is, what it writes beside it, what each of its gradients needs kept
// from the forward pass, and its dispatches in both directions. One operation is one file beside this one; registry.ts has
// them by kind.
//
// Values have names; 'in', 'mid' and 'out' are the residual stream before attention, between attention and feed-forward, and
// after the layer.

import type { Live } from '../../shaders/lib/rowwise';
import type { Dispatch, View } from '../../dispatch/types';
import type { ModelShape } from '../../model/types';
import type { Context } from '../emit';
import type { Adapter, Trainable } from '../run-buffers';

/** One step of a layer: reads x, writes y. */
export interface OpBase {
  readonly kind: string;
  readonly x: string;
  readonly y: string;
  /** Added to y: a value of the residual stream. */
  readonly residual?: string | null;
}

/** A value and its width, in elements a row. */
interface WrittenValue {
  readonly name: string;
  readonly width: number;
}

/** Values that share one gradient buffer: the residual stream. Their gradient is added to; every other is assigned. */
export const RESIDUAL_STREAM = new Set(['in', 'mid', 'out']);

/** Where an operation runs: in a layer, or at the head over the rows that count toward the loss. */
export interface Site {
  readonly context: Context;
  /** Capacity in rows, and which of them are live. */
  readonly rows: number;
  readonly live: Live;
  /** The label of a dispatch: 'layer.3/qkv dW' for what = 'dW'. */
  label(op: OpBase, what: string): string;
  /** A tensor as the forward reads it: the f32 master while it trains on one, else as it is stored. */
  weight(tensor: string): View;
  /** A value of the forward pass: in the buffer that keeps it for the backward, else in a short-lived one. */
  value(name: string): View;
  /** A short-lived buffer of this pass. */
  scratch(name: string, elements: number): View;
  /** The layer's LoRA adapter, if it has one. */
  readonly adapter: Adapter | null;
}

export interface ForwardSite extends Site {
  /** Sampling: the layer's K/V cache, which new tokens are appended to and attend over. Null in training and evaluation. */
  readonly cache: { readonly k: View; readonly v: View } | null;
  /** Whether something after this pass reads a value, so that it has to be written. */
  outlives(name: string): boolean;
  /** Whether the layer's own tensors (or its adapter) train. */
  readonly trains: boolean;
}

export interface BackwardSite extends Site {
  /** The state of a layer (or final norm) whose own tensors train here; null if it is frozen or has an adapter instead. */
  readonly trained: Trainable | null;
  /** The gradient of a value. */
  gradient(name: string): View;
  /** The gradient of a tensor of `trained`. */
  weightGradient(tensor: string): View;
  /** True if something at or below x wants the gradient of x. */
  wantsInput(op: OpBase): boolean;
}

export interface Operation<O extends OpBase> {
  /** Elements per row of y, if x has `input` per row. */
  width(op: O, shape: ModelShape, input: number): number;
  /** What the forward writes beside y. */
  auxiliaries(op: O, shape: ModelShape): readonly WrittenValue[];
  /** Tensors of its own, by local name or by the name of their fused group. */
  tensors(op: O): readonly string[];
  /** What the gradient of x needs kept. */
  keptForInput(op: O, shape: ModelShape): readonly string[];
  /** What the gradients of its tensors need kept. */
  keptForWeights(op: O, shape: ModelShape): readonly string[];
  forward(op: O, site: ForwardSite): Dispatch[];
  /** Dispatches for the gradients of its tensors if they train, and of x if that is wanted. */
  backward(op: O, site: BackwardSite): Dispatch[];
}
