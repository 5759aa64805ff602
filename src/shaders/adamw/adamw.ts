// AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101) as in PyTorch, over one range of parameters.

import { roundUp, type Dispatch, type View } from '../../dispatch/types';
import { dispatch, expectElements, foldedGrid, kernel, shapeError } from '../../dispatch/kernel';
import { padded } from '../lib/rowwise';
import { STATS_ELEMENTS } from '../loss/stats';
import wgsl from './adamw.wgsl?raw';
import int8Wgsl from './adamw_int8.wgsl?raw';

/** What scalars[slot] holds, computed in float64. step counts from 1: the steps that this slot's m and v have seen. */
export function adamwScalars(
  lr: number,
  weightDecay: number,
  beta1: number,
  beta2: number,
  step: number,
): [number, number, number, number] {
  return [lr / (1 - beta1 ** step), 1 / Math.sqrt(1 - beta2 ** step), lr * weightDecay, 0];
}

/** How m and v lie: f32, or 8 bits in blocks that share a scale (adamw_int8.wgsl). */
export type OptimizerState = 'f32' | 'int8';

/** A block of 8-bit state: its elements and its bytes. */
const STATE_BLOCK = 256;
const STATE_BLOCK_BYTES = 4 + STATE_BLOCK;

/** Bytes that m (or v) takes for so many elements; a multiple of 16. */
export const stateBytes = (elements: number, state: OptimizerState): number =>
  roundUp(state === 'f32' ? 4 * elements : Math.ceil(elements / STATE_BLOCK) * STATE_BLOCK_BYTES, 16);

export interface AdamwArgs {
  readonly label: string;
  /** Parameters: f32, updated in place. */
  readonly w: View;
  /** First and second moments as `state` says, updated in place. */
  readonly m: View;
  readonly v: View;
  /** Gradient, f32. */
  readonly g: View;
  /** vec4f by slot, see adamwScalars; written by the host before the step. */
  readonly scalars: View;
  /** f32[8], see stats.ts: the clip factor and the bad flag. */
  readonly stats: View;
  readonly slot: number;
  readonly elements: number;
  /** Weight decay falls on elements below this, a multiple of 4 (or `elements` itself). */
  readonly decayElements: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  /** Default: f32. */
  readonly state?: OptimizerState;
}

/** One step in place. Leaves everything as it is where stats.bad is set. */
export function adamw(args: AdamwArgs): Dispatch {
  const { label, w, m, v, g, scalars, stats, slot, elements, decayElements, beta1, beta2, eps, state = 'f32' } = args;
  const name = state === 'f32' ? 'adamw' : 'adamw_int8';
  for (const [binding, view] of Object.entries({ w, g })) expectElements(name, binding, view, elements);
  for (const [binding, view] of Object.entries({ m, v })) expectElements(name, binding, view, stateBytes(elements, state) / 4);
  expectElements(name, 'scalars', scalars, 4 * (slot + 1));
  expectElements(name, 'stats', stats, STATS_ELEMENTS);
  const whole = decayElements % 4 === 0 || decayElements === elements;
  if (!whole || decayElements > elements)
    throw shapeError(name, 'decayElements', `a multiple of 4 up to ${elements}`, String(decayElements));
  const steps = Math.ceil(elements / 4);
  const blocks = Math.ceil(elements / STATE_BLOCK);
  const views = { w: padded(w), m: padded(m), v: padded(v), g: padded(g), scalars, stats };
  const rates = {
    decay_steps: Math.ceil(decayElements / 4),
    slot,
    beta1,
    beta1_rest: 1 - beta1,
    beta2,
    beta2_rest: 1 - beta2,
    eps,
  };
  const work = { flops: { one: 14 * elements }, bytes: { one: 12 * elements + 4 * stateBytes(elements, state) } };
  return state === 'f32'
    ? dispatch(kernel(name, [wgsl]), label, views, { steps, ...rates }, foldedGrid(Math.ceil(steps / 256)), work)
    : dispatch(kernel(name, [int8Wgsl]), label, views, { elements, blocks, ...rates }, foldedGrid(blocks), work);
}
