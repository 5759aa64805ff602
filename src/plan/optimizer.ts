// The end of a step: norm of all gradients, then AdamW on what trains; and what a switch of layers does to a slot.

import { adamw } from '../shaders/adamw';
import { fill } from '../shaders/fill';
import { gradNorm, gradSquares, squareGroups } from '../shaders/grad_norm';
import type { Slot, Trainable } from './buffers';
import type { Context } from './emit';
import { rangesOf } from './layout';
import { FULL_VIEW, type BufferSpec, type Dispatch, type Segment, type View } from './types';

export function squares(context: Context, of: Trainable): Segment {
  let at = of.partialsAt;
  const dispatches = rangesOf(of.gradient.bytes).map(([offset, bytes]) => {
    const x: View = { buffer: of.gradient, offset, bytes };
    const dispatch = gradSquares({
      label: `${of.name} squares`,
      partials: FULL_VIEW(context.buffers.partials),
      x,
      elements: bytes / 4,
      at,
    });
    at += squareGroups(bytes / 4);
    return dispatch;
  });
  return { name: `${of.name} squares`, dispatches };
}

/** A slot that no layer uses in this period adds nothing to the norm. */
export function idleSquares(context: Context, of: Trainable): Segment {
  const x: View = { buffer: context.buffers.partials, offset: of.partialsAt * 4, bytes: Math.max(16, of.partials * 4) };
  return { name: `${of.name} idle`, dispatches: [fill({ label: `${of.name} idle`, x, elements: of.partials, value: 0 })] };
}

export function norm(context: Context): Segment {
  const { stats, partials } = context.buffers;
  return {
    name: 'gradient norm',
    dispatches: [
      gradNorm({
        label: 'gradient norm',
        stats: FULL_VIEW(stats),
        partials: FULL_VIEW(partials),
        count: partials.bytes / 4,
        maxNorm: context.input.gradClip,
      }),
    ],
  };
}

/** AdamW on the weights of one block with the gradient and state of `of`, which has the block's layout. */
export function update(context: Context, weights: BufferSpec, of: Trainable): Segment {
  const { adam } = context.input;
  const { scalars, stats } = context.buffers;
  const parts = [weights, of.gradient, of.m, of.v].map(splitRange);
  let first = 0;
  const dispatches = parts[0].map((w, index): Dispatch => {
    const elements = w.bytes / 4;
    const decayElements = Math.min(elements, Math.max(0, of.layout.decayElements - first));
    first += elements;
    return adamw({
      label: `${of.name} → ${weights.name}`,
      w,
      g: parts[1][index],
      m: parts[2][index],
      v: parts[3][index],
      scalars: FULL_VIEW(scalars),
      stats: FULL_VIEW(stats),
      slot: of.scalars,
      elements,
      decayElements,
      ...adam,
    });
  });
  return { name: `${of.name} → ${weights.name}`, dispatches };
}

/** Clears m and v of a slot whose layer has left. */
export function reset(slot: Slot): Segment {
  const dispatches = [slot.m, slot.v].flatMap((spec) =>
    splitRange(spec).map((x) => fill({ label: `${spec.name} clear`, x, elements: x.bytes / 4, value: 0 })),
  );
  return { name: `${slot.name} reset`, dispatches };
}

const splitRange = (spec: BufferSpec): View[] => rangesOf(spec.bytes).map(([offset, bytes]) => ({ buffer: spec, offset, bytes }));
