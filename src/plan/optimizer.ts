// The end of a step: norm of all gradients, then AdamW on what trains; and what a switch of layers does to a slot.

import { adamw } from '../shaders/adamw/adamw';
import { fill } from '../shaders/copy/fill';
import { pack, unpack, type StorageArgs } from '../shaders/storage/storage';
import { blockNorm, gradNorm, gradSquares, squareGroups } from '../shaders/reduce/grad_norm';
import type { Block, Slot, Trainable } from './run-buffers';
import type { Context } from './emit';
import { boundNames } from './layout';
import { tensorView, type ShardedBuffer } from './sharded-buffer';
import { BINDING_ALIGNMENT, elementBytes, FULL_VIEW, type Dispatch, type Segment, type View } from '../dispatch/types';

export function squares(context: Context, of: Trainable): Segment {
  let at = of.partialsAt;
  const dispatches = of.gradient.shards.map(({ view: x }) => {
    const { bytes } = x;
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

/** Where the clip factor is that `of` is updated with: its own, or that of all. */
function statsOf({ buffers: { blockStats, stats } }: Context, of: Trainable): View {
  return blockStats ? { buffer: blockStats, offset: of.scalars * BINDING_ALIGNMENT, bytes: stats.bytes } : FULL_VIEW(stats);
}

/** The norm and the clip factor of one gradient, from its squares. */
export function clip(context: Context, of: Trainable): Segment {
  const { stats, partials } = context.buffers;
  const own: View = { buffer: partials, offset: of.partialsAt * 4, bytes: of.partials * 4 };
  const args = { stats: FULL_VIEW(stats), partials: own, count: of.partials, maxNorm: context.input.gradClip };
  return { name: `${of.name} clip`, dispatches: [blockNorm({ label: `${of.name} clip`, block: statsOf(context, of), ...args })] };
}

/** AdamW on the weights of one block with the gradient and state of `of`, which has the block's layout. */
export function update(context: Context, weights: ShardedBuffer, of: Trainable): Segment {
  const { adam, optimizerState: state } = context.input;
  const { scalars } = context.buffers;
  const dispatches = weights.shards.map(({ view: w, at }, index): Dispatch => {
    const shard = (sharded: ShardedBuffer): View => sharded.shards[index].view;
    const elements = w.bytes / 4;
    const decayElements = Math.min(elements, Math.max(0, of.layout.decayElements - at / 4));
    return adamw({
      label: `${of.name} → ${weights.name}`,
      w,
      g: shard(of.gradient),
      m: shard(of.m),
      v: shard(of.v),
      scalars: FULL_VIEW(scalars),
      stats: statsOf(context, of),
      slot: of.scalars,
      elements,
      decayElements,
      state,
      ...adam,
    });
  });
  return { name: `${of.name} → ${weights.name}`, dispatches };
}

/** Clears m and v of what joins without a state. */
export function reset(slot: Trainable): Segment {
  const dispatches = [...slot.m.shards, ...slot.v.shards].map(({ view: { buffer } }) =>
    fill({ label: `${buffer.name} clear`, x: FULL_VIEW(buffer), elements: buffer.bytes / 4, value: 0 }),
  );
  return { name: `${slot.name} reset`, dispatches };
}

/** The values in the packing buffer become codes: used where weights are uploaded. */
export function packPiece({ buffers }: Context): Segment {
  const { values, codes, elements } = buffers.packing!;
  return { name: 'pack', dispatches: [pack({ label: 'pack', y: codes, x: FULL_VIEW(values), elements })] };
}

/** A layer joins: its slot's master gets the values that its block stores. */
export const join = (block: Block, slot: Slot): Segment =>
  converted(`${block.weights.name} → ${slot.name}`, block, slot, (label, stored, master, elements) =>
    unpack({ label, y: master, x: stored, elements }),
  );

/** A layer leaves: its block stores the master's values, rounded where it stores them packed. */
export const leave = (block: Block, slot: Slot): Segment =>
  converted(`${slot.name} → ${block.weights.name}`, block, slot, (label, stored, master, elements) =>
    pack({ label, y: stored, x: master, elements }),
  );

/** Elements of a conversion: whole bindings on both sides. */
const MAX_CONVERTED = 2 ** 25;

function converted(
  name: string,
  { weights, layout, rows }: Block,
  slot: Slot,
  convert: (label: StorageArgs['label'], stored: View, master: View, elements: number) => Dispatch,
): Segment {
  const dispatches = boundNames(rows).flatMap((tensor) => {
    const [stored, master] = [tensorView(weights, layout, tensor), tensorView(slot.master!, slot.layout, tensor)];
    const { elements } = layout.places.get(tensor)!;
    const list: Dispatch[] = [];
    for (let first = 0; first < elements; first += MAX_CONVERTED) {
      const count = Math.min(MAX_CONVERTED, elements - first);
      const shard = (view: View): View => ({
        ...view,
        offset: view.offset + first * elementBytes(view),
        bytes: count * elementBytes(view),
      });
      list.push(convert(`${name} ${tensor}`, shard(stored), shard(master), count));
    }
    return list;
  });
  return { name, dispatches };
}
