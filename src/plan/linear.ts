// A linear op and its adjoint, with or without a LoRA adapter, as dispatches.

import type { LinearOp } from '../model/layer-ops';
import type { MatmulArgs } from '../shaders/matmul/matmul';
import { columnSum } from '../shaders/reduce/column_sum';
import type { Block, Slot, Trainable } from './buffers';
import { layerWeight, liveRows, opLabel, type Context, type Transients } from './emit';
import { loraB, loraGroup } from './lora-layout';
import { splitProduct } from './split';
import { tensorView } from './store';
import { FULL_VIEW, type Dispatch, type View } from '../dispatch/types';

/** An adapter and where its inner activations u = x·Aᵀ go. */
export interface Adapter {
  readonly block: Block;
  readonly slot: Slot;
  readonly rank: number;
  /** α / r */
  readonly scale: number;
}

export interface LinearSite {
  readonly context: Context;
  readonly layer: number;
  /** The slot that the layer trains in. */
  readonly role: Slot | null;
  readonly op: LinearOp;
  readonly x: View;
  /** In one dispatch, however long: while sampling, where it is the prompt that comes in pieces (promptRows). */
  readonly whole?: boolean;
}

const gradientView = (of: Trainable, tensor: string): View => tensorView(of.gradient, of.layout, tensor);

/** y = x·W (+ bias) (+ residual) (+ scale · x·Aᵀ·Bᵀ). `u` receives x·Aᵀ of the adapter. */
export function linearForward(site: LinearSite, y: View, residual: View | undefined, adapter: Adapter | null, u: View | null): Dispatch[] {
  const { context, layer, role, op, x } = site;
  const { rows } = context.input;
  const list = [
    ...product(site, {
      label: opLabel(layer, op, 'fwd'),
      layout: op.layout,
      y,
      a: x,
      b: layerWeight(context, layer, role, op.weight),
      m: rows,
      n: op.out,
      k: op.in,
      live: liveRows,
      bias: op.bias === null ? undefined : layerWeight(context, layer, role, op.bias),
      residual,
    }),
  ];
  if (!adapter || !u) return list;
  const inner = op.parts.length * adapter.rank;
  const a = tensorView(adapter.block.store, adapter.block.layout, loraGroup(op));
  list.push(
    ...product(site, {
      label: opLabel(layer, op, 'lora A fwd'),
      layout: 'nt',
      y: u,
      a: x,
      b: a,
      m: rows,
      n: inner,
      k: op.in,
      live: liveRows,
    }),
  );
  eachPart(op, (part, column, index) => {
    list.push(
      ...product(site, {
        label: opLabel(layer, op, `lora B fwd ${part.name}`),
        layout: 'nt',
        y,
        a: u,
        b: tensorView(adapter.block.store, adapter.block.layout, loraB(part.name)),
        m: rows,
        n: part.out,
        k: adapter.rank,
        lda: inner,
        a0: index * adapter.rank,
        ldy: op.out,
        y0: column,
        alpha: adapter.scale,
        accumulate: 'yes',
        live: liveRows,
      }),
    );
  });
  return list;
}

/** Gradients of W and bias, into the slot: assigned in the first micro-batch, added to after it. */
export function linearWeightGradients(site: LinearSite, dy: View, slot: Trainable): Dispatch[] {
  const { context, layer, op, x } = site;
  const { rows } = context.input;
  const [a, b, m, n] = op.layout === 'nt' ? [dy, x, op.out, op.in] : [x, dy, op.in, op.out];
  const list = [
    ...product(site, {
      label: opLabel(layer, op, 'dW'),
      layout: 'tn',
      y: gradientView(slot, op.weight),
      a,
      b,
      m,
      n,
      k: rows,
      live: liveRows,
      accumulate: 'frame',
    }),
  ];
  if (op.bias !== null) {
    list.push(columnSum({ label: opLabel(layer, op, 'db'), db: gradientView(slot, op.bias), dy, rows, width: op.out, live: liveRows }));
  }
  return list;
}

/** dx = dy·Wᵀ. */
export function linearInputGradient(site: Omit<LinearSite, 'x'>, dx: View, dy: View): Dispatch[] {
  const { context, layer, role, op } = site;
  return product(site, {
    label: opLabel(layer, op, 'dX'),
    layout: op.layout === 'nt' ? 'nn' : 'nt',
    y: dx,
    a: dy,
    b: layerWeight(context, layer, role, op.weight),
    m: context.input.rows,
    n: op.in,
    k: op.out,
    live: liveRows,
  });
}

/** Gradients of A and B; with dx, what flows back through the adapter is added to it. */
export function linearAdapterGradients(site: LinearSite, dy: View, adapter: Adapter, transients: Transients, dx: View | null): Dispatch[] {
  const { context, layer, op, x } = site;
  const { rows } = context.input;
  const inner = op.parts.length * adapter.rank;
  const u = FULL_VIEW(adapter.slot.saved.get(`${op.y}.u`)!);
  const du = transients.view(`d.${op.y}.u`, rows * inner);
  const list: Dispatch[] = [];
  eachPart(op, (part, column, index) => {
    const b = tensorView(adapter.block.store, adapter.block.layout, loraB(part.name));
    const slice = { a: dy, a0: column, lda: op.out, alpha: adapter.scale, live: liveRows } as const;
    list.push(
      ...product(site, {
        ...slice,
        label: opLabel(layer, op, `lora du ${part.name}`),
        layout: 'nn',
        y: du,
        b,
        m: rows,
        n: adapter.rank,
        k: part.out,
        ldy: inner,
        y0: index * adapter.rank,
      }),
      ...product(site, {
        ...slice,
        label: opLabel(layer, op, `lora dB ${part.name}`),
        layout: 'tn',
        y: gradientView(adapter.slot, loraB(part.name)),
        b: u,
        m: part.out,
        n: adapter.rank,
        k: rows,
        ldb: inner,
        b0: index * adapter.rank,
        accumulate: 'frame',
      }),
    );
  });
  list.push(
    ...product(site, {
      label: opLabel(layer, op, 'lora dA'),
      layout: 'tn',
      y: gradientView(adapter.slot, loraGroup(op)),
      a: du,
      b: x,
      m: inner,
      n: op.in,
      k: rows,
      live: liveRows,
      accumulate: 'frame',
    }),
  );
  if (dx) {
    const a = tensorView(adapter.block.store, adapter.block.layout, loraGroup(op));
    list.push(
      ...product(site, {
        label: opLabel(layer, op, 'lora dX'),
        layout: 'nn',
        y: dx,
        a: du,
        b: a,
        m: rows,
        n: op.in,
        k: inner,
        live: liveRows,
        accumulate: 'yes',
      }),
    );
  }
  return list;
}

const product = ({ context, whole }: Omit<LinearSite, 'x'>, args: MatmulArgs): Dispatch[] =>
  splitProduct({ ...args, family: context.input.kernels.matmul }, whole ? Infinity : undefined);

function eachPart(op: LinearOp, visit: (part: LinearOp['parts'][number], column: number, index: number) => void): void {
  let column = 0;
  op.parts.forEach((part, index) => {
    visit(part, column, index);
    column += part.out;
  });
}
