// AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101) as in PyTorch, over one range of parameters.

import type { Dispatch, View } from '../../dispatch/types';
import { dispatch, expectElements, foldedGrid, kernel, shapeError } from '../../dispatch/kernel';
import { padded } from '../lib/rowwise';
import { STATS_ELEMENTS } from '../loss/stats';
import wgsl from './adamw.wgsl?raw';

/** What scalars[slot] holds, from float64. step counts from 1: the steps that this slot's m and v have seen. */
export function adamwScalars(
  lr: number,
  weightDecay: number,
  beta1: number,
  beta2: number,
  step: number,
): [number, number, number, number] {
  return [lr / (1 - beta1 ** step), 1 / Math.sqrt(1 - beta2 ** step), lr * weightDecay, 0];
}

export interface AdamwArgs {
  readonly label: string;
  /** Parameters, first and second moments: f32, updated in place. */
  readonly w: View;
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
}

/** One step in place. Leaves everything as it is where stats.bad is set. */
export function adamw({ label, w, m, v, g, scalars, stats, slot, elements, decayElements, beta1, beta2, eps }: AdamwArgs): Dispatch {
  const name = 'adamw';
  for (const [binding, view] of Object.entries({ w, m, v, g })) expectElements(name, binding, view, elements);
  expectElements(name, 'scalars', scalars, 4 * (slot + 1));
  expectElements(name, 'stats', stats, STATS_ELEMENTS);
  const whole = decayElements % 4 === 0 || decayElements === elements;
  if (!whole || decayElements > elements)
    throw shapeError(name, 'decayElements', `a multiple of 4 up to ${elements}`, String(decayElements));
  const steps = Math.ceil(elements / 4);
  const views = { w: padded(w), m: padded(m), v: padded(v), g: padded(g), scalars, stats };
  const params = {
    steps,
    decay_steps: Math.ceil(decayElements / 4),
    slot,
    beta1,
    beta1_rest: 1 - beta1,
    beta2,
    beta2_rest: 1 - beta2,
    eps,
  };
  return dispatch(kernel(name, [wgsl]), label, views, params, foldedGrid(Math.ceil(steps / 256)), {
    flops: { one: 14 * elements },
    bytes: { one: 28 * elements },
  });
}
