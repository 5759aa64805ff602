// A LoRA adapter (arXiv 2106.09685) beside a linear operation: y += scale · x·Aᵀ·Bᵀ. The A matrices of a linear's slices lie side
// by side and share a product; each slice has a B of its own. u = x·Aᵀ is kept for the gradient of B.

import type { Dispatch, View } from '../../dispatch/types';
import { loraB, loraGroup, loraInner } from '../lora-layout';
import type { Adapter } from '../run-buffers';
import { tensorView } from '../sharded-buffer';
import { eachSlice, product, type LinearOp } from './linear-op';
import type { BackwardSite, ForwardSite } from './op';

const tensorOf = ({ block }: Adapter, name: string): View => tensorView(block.weights, block.layout, name);
const gradientOf = ({ slot }: Adapter, name: string): View => tensorView(slot.gradient, slot.layout, name);

export function adapterForward(op: LinearOp, site: ForwardSite, adapter: Adapter): Dispatch[] {
  const { rows, live } = site;
  const alpha = adapter.scale * (op.scale ?? 1);
  const inner = op.slices.length * adapter.rank;
  const u = site.value(loraInner(op));
  const what = (part: string): string => site.label(op, `lora ${part} fwd`);
  const a = tensorOf(adapter, loraGroup(op));
  const list = product(site, { label: what('A'), layout: 'nt', y: u, a: site.value(op.x), b: a, m: rows, n: inner, k: op.in, live });
  eachSlice(op, (slice, column, index) => {
    list.push(
      ...product(site, {
        label: `${what('B')} ${slice.name}`,
        layout: 'nt',
        y: site.value(op.y),
        a: u,
        b: tensorOf(adapter, loraB(slice.name)),
        m: rows,
        n: slice.out,
        k: adapter.rank,
        lda: inner,
        a0: index * adapter.rank,
        ldy: op.out,
        y0: column,
        alpha,
        accumulate: 'yes',
        live,
      }),
    );
  });
  return list;
}

/** Gradients of A and B; if the gradient of x is wanted, the part that flows back through the adapter is added to it. */
export function adapterBackward(op: LinearOp, site: BackwardSite, adapter: Adapter): Dispatch[] {
  const { rows, live } = site;
  const alpha = adapter.scale * (op.scale ?? 1);
  const inner = op.slices.length * adapter.rank;
  const x = site.value(op.x);
  const u = site.value(loraInner(op));
  const du = site.scratch(`d.${loraInner(op)}`, rows * inner);
  const list: Dispatch[] = [];
  eachSlice(op, (slice, column, index) => {
    const dy = { a: site.gradient(op.y), a0: column, lda: op.out, alpha, live } as const;
    list.push(
      ...product(site, {
        ...dy,
        label: site.label(op, `lora du ${slice.name}`),
        layout: 'nn',
        y: du,
        b: tensorOf(adapter, loraB(slice.name)),
        m: rows,
        n: adapter.rank,
        k: slice.out,
        ldy: inner,
        y0: index * adapter.rank,
      }),
      ...product(site, {
        ...dy,
        label: site.label(op, `lora dB ${slice.name}`),
        layout: 'tn',
        y: gradientOf(adapter, loraB(slice.name)),
        b: u,
        m: slice.out,
        n: adapter.rank,
        k: rows,
        ldb: inner,
        b0: index * adapter.rank,
        accumulate: 'frame',
      }),
    );
  });
  const a = { layout: 'tn', a: du, b: x, m: inner, n: op.in, k: rows, live, accumulate: 'frame' } as const;
  list.push(...product(site, { ...a, label: site.label(op, 'lora dA'), y: gradientOf(adapter, loraGroup(op)) }));
  if (site.wantsInput(op)) {
    const dx = { layout: 'nn', a: du, b: tensorOf(adapter, loraGroup(op)), m: rows, n: op.in, k: inner, live, accumulate: 'yes' } as const;
    list.push(...product(site, { ...dx, label: site.label(op, 'lora dX'), y: site.gradient(op.x) }));
  }
  return list;
}
