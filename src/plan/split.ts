// Cuts work into pieces, so that no dispatch lasts so long that a browser's watchdog ends the GPU process. Every piece computes the same
// bits as the whole would: sums over k are never cut.

import { matmul, type MatmulArgs } from '../shaders/matmul/matmul';
import { capacityOf, type PlanInput } from './input';
import { elementBytes, type Dispatch, type View } from '../dispatch/types';
import { amount } from '../dispatch/extents';

/** Largest work of one dispatch: below a second even on a CPU. */
export const MAX_DISPATCH_FLOPS = 0.6e9;

/** Where any view of a matrix may start: 128 rows of a multiple of 32 elements fill whole bindings, also in 8 and 4 bits. */
const UNIT = 128;

/** Ranges [first, end) of `total` units within the work of one dispatch. They start at multiples of 128. */
export function rangesOf(total: number, flopsPerUnit: number, maxFlops = MAX_DISPATCH_FLOPS): [number, number][] {
  const step = Math.max(UNIT, Math.floor(maxFlops / flopsPerUnit / UNIT) * UNIT);
  const ranges: [number, number][] = [];
  for (let first = 0; first < total; first += step) ranges.push([first, Math.min(total, first + step)]);
  return ranges;
}

/** Cuts a product by columns of y (nt, nn: the forward and dX), or by rows of y (tn: dW, whose live extent is k). */
export function splitProduct(args: MatmulArgs, maxFlops = MAX_DISPATCH_FLOPS): Dispatch[] {
  const { layout, m, n, k } = args;
  const ranges = layout === 'tn' ? rangesOf(m, 2 * n * k, maxFlops) : rangesOf(n, 2 * m * k, maxFlops);
  return ranges.length === 1 ? [matmul(args)] : ranges.map(([first, end]) => matmul(piece(args, first, end)));
}

function piece(args: MatmulArgs, first: number, end: number): MatmulArgs {
  const { layout, m, n, k, y, b, bias, a0 = 0, b0 = 0, y0 = 0 } = args;
  const count = end - first;
  if (layout === 'tn') return { ...args, m: count, lda: args.lda ?? m, a0: a0 + first, y: from(y, first * (args.ldy ?? n)) };
  const columns = { ...args, n: count, ldy: args.ldy ?? n, y0: y0 + first, bias: bias && from(bias, first) };
  return layout === 'nt' ? { ...columns, b: from(b, first * (args.ldb ?? k)) } : { ...columns, ldb: args.ldb ?? n, b0: b0 + first };
}

/** The view without its first elements. */
const from = (view: View, elements: number): View => {
  const bytes = elementBytes(view) * elements;
  return { ...view, offset: view.offset + bytes, bytes: view.bytes - bytes };
};

/** Cuts a kernel over heads into ranges [first, count] of heads. Heads share nothing, so a split changes no result. */
export function splitHeads(input: PlanInput, heads: number, make: (piece: readonly [number, number]) => Dispatch): Dispatch[] {
  const whole = make([0, heads]);
  const work = amount(whole.work.flops, capacityOf(input));
  const step = Math.max(1, Math.floor((heads * MAX_DISPATCH_FLOPS) / work));
  if (step >= heads) return [whole];
  return Array.from({ length: Math.ceil(heads / step) }, (_, i) => make([i * step, Math.min(step, heads - i * step)]));
}
