// Forward and backward of one layer: its list of operations walked down, then up.

import { FULL_VIEW, type BufferSpec, type View } from '../dispatch/types';
import type { ModelShape } from '../model/types';
import { backwardOf, forwardOf } from './fuse';
import { layerWeight, liveRows, Transients, type Context, type Unit } from './emit';
import { layerOps } from './layers';
import { loraInner } from './lora-layout';
import { RESIDUAL_STREAM, type BackwardSite, type ForwardSite, type Site } from './ops/op';
import { gradientsWanted, operation, valueWidths, type LayerOp } from './ops/registry';
import { operationsAgain } from './recompute';
import type { Adapter, Slot } from './run-buffers';
import { tensorView } from './sharded-buffer';

/** How a layer takes part in a step: frozen (null), or trained with the state in a slot. */
export type LayerRole = Slot | null;

export type ForwardMode = 'train' | 'generate';

export function layerForward(context: Context, layer: number, role: LayerRole, mode: ForwardMode): Unit {
  const generate = mode === 'generate';
  const { site, transients, isKept } = layerSite(context, layer, role, adapterOf(context, layer), generate);
  const forward: ForwardSite = {
    ...site,
    label: (op, what) => site.label(op, generate ? what.replace('fwd', 'gen') : what),
    cache: generate ? context.buffers.cache[layer] : null,
    outlives: isKept,
    trains: role !== null,
  };
  const dispatches = forwardOf(layerOps(context.input.shape, layer), forward);
  const name = `layer.${layer} ${mode}`;
  return { name, transients, segments: [{ name, dispatches }] };
}

/**
 * The gradient of the residual stream is one buffer, updated in place. Without `wantsInput` (nothing below trains) everything that only the
 * input's gradient needs is left out.
 */
export function layerBackward(context: Context, layer: number, role: LayerRole, wantsInput: boolean): Unit {
  const { shape, rows } = context.input;
  const ops = layerOps(shape, layer);
  const { site, widths, transients } = layerSite(context, layer, role, role ? adapterOf(context, layer) : null, false);
  const trained = site.adapter ? null : role;
  const wanted = gradientsWanted(ops, wantsInput, (op) =>
    site.adapter ? op.kind === 'linear' : trained !== null && operation(op).tensors(op).length > 0,
  );
  const backward: BackwardSite = {
    ...site,
    trained,
    gradient: (name) =>
      RESIDUAL_STREAM.has(name) ? FULL_VIEW(context.buffers.stream[shape.layers]) : transients.view(`d.${name}`, rows * widths.get(name)!),
    weightGradient: (tensor) => tensorView(trained!.gradient, trained!.layout, tensor),
    wantsInput: ({ x }) => wanted.has(x),
  };
  const read = valuesRead(ops, shape, backward);
  const again = operationsAgain(ops, shape, context.input.recompute, read);
  const forward: ForwardSite = {
    ...site,
    label: (op, what) => site.label(op, what.replace('fwd', 'again')),
    cache: null,
    outlives: (name) => read.has(name),
    trains: role !== null,
  };
  const dispatches = [...forwardOf(again, forward), ...backwardOf(ops, backward)];
  const name = `layer.${layer} bwd`;
  return { name, transients, segments: [{ name, dispatches }] };
}

/** The values of the forward that this backward reads. */
function valuesRead(ops: readonly LayerOp[], shape: ModelShape, { trained, adapter, wantsInput }: BackwardSite): Set<string> {
  const trains = (op: LayerOp): boolean => (adapter ? op.kind === 'linear' : trained !== null);
  return new Set(
    ops.flatMap((op) => [
      ...(wantsInput(op) ? operation(op).keptForInput(op, shape) : []),
      ...(trains(op) ? operation(op).keptForWeights(op, shape) : []),
    ]),
  );
}

/** Where a layer's values, tensors and short-lived buffers are; `generate`: nothing is kept. */
function layerSite(context: Context, layer: number, role: LayerRole, adapter: Adapter | null, generate: boolean) {
  const { input, buffers } = context;
  const { shape, rows } = input;
  const ops = layerOps(shape, layer);
  const widths = valueWidths(ops, shape);
  const transients = new Transients();
  const kept: ReadonlyMap<string, BufferSpec>[] = generate ? [] : [buffers.saved[layer], role?.saved ?? new Map<string, BufferSpec>()];
  if (adapter) {
    const inner = new Map<string, BufferSpec>();
    for (const op of ops) {
      if (op.kind !== 'linear') continue;
      widths.set(loraInner(op), op.slices.length * adapter.rank);
      inner.set(loraInner(op), adapter.slot.saved.get(loraInner(op))!);
    }
    if (!generate) kept.push(inner);
  }
  const isKept = (name: string): boolean => kept.some((values) => values.has(name));
  const value = (name: string): View => {
    // No dispatch reads a layer's input and writes its output, so that one stream is enough while sampling.
    if (name === 'in') return FULL_VIEW(buffers.stream[generate ? shape.layers : layer]);
    if (name === 'out') return FULL_VIEW(buffers.stream[generate ? shape.layers : layer + 1]);
    const spec = kept.map((values) => values.get(name)).find(Boolean);
    return spec ? FULL_VIEW(spec) : transients.view(name, rows * widths.get(name)!);
  };
  const site: Site = {
    context,
    rows,
    live: liveRows,
    label: ({ y }, what) => `layer.${layer}/${y} ${what}`,
    weight: (tensor) => layerWeight(context, layer, role, tensor),
    value,
    scratch: (name, elements) => transients.view(name, elements),
    adapter,
  };
  return { site, widths, transients, isKept };
}

function adapterOf(context: Context, layer: number): Adapter | null {
  const { lora } = context.input;
  if (!lora) return null;
  return { block: context.buffers.adapters[layer], slot: context.buffers.slots[layer], rank: lora.rank, scale: lora.alpha / lora.rank };
}
