// Cuts work into pieces, so that no dispatch lasts so long that a browser's watchdog ends the GPU process. Every piece computes the same
// bits as the whole would: sums over k are never cut.

import type { AttentionPiece } from '../shaders/attention/attention';
import { matmul, matmulParts, type MatmulArgs } from '../shaders/matmul/matmul';
import { partsFor } from '../shaders/matmul/tile';
import { capacityOf, LEAST_DISPATCH_FLOPS, type PlanInput } from './input';
import { elementBytes, isQuantised, QUANTISED_BLOCK, type Dispatch, type View } from '../dispatch/types';
import { amount } from '../dispatch/extents';

/** A view of a matrix may start at multiples of so many rows: 128 of an odd number of groups of 32 integers fill whole bindings, 64 of others. */
export const viewRows = ({ stored }: View, columns: number): number => (isQuantised(stored) && columns % QUANTISED_BLOCK !== 0 ? 128 : 64);

/** Ranges [first, end) of `total` units within the work of one dispatch. They start at multiples of `unit`. */
export function rangesOf(total: number, flopsPerUnit: number, maxFlops = LEAST_DISPATCH_FLOPS, unit = 64): [number, number][] {
  const step = Math.max(unit, Math.floor(maxFlops / flopsPerUnit / unit) * unit);
  const ranges: [number, number][] = [];
  for (let first = 0; first < total; first += step) ranges.push([first, Math.min(total, first + step)]);
  return ranges;
}

/** Cuts a product by columns of y (nt, nn: the forward and dX), or by rows of y (tn: dW, whose live extent is k). */
export function splitProduct(args: MatmulArgs, maxFlops: number): Dispatch[] {
  const { layout, m, n, k } = args;
  const ranges = layout === 'tn' ? rangesOf(m, 2 * n * k, maxFlops) : rangesOf(n, 2 * m * k, maxFlops, viewRows(args.b, args.ldb ?? k));
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

/**
 * A product whose sum is cut into parts where that fills a graphics card (partsFor: by sizes, never by speed), else splitProduct(). `parts`
 * makes room for them.
 */
export function longProduct(args: MatmulArgs, maxFlops: number, parts: (elements: number) => View): Dispatch[] {
  const { m, n, k, family } = args;
  const count = family === 'tiles' ? partsFor(m, n, k) : 1;
  if (count === 1) return splitProduct(args, maxFlops);
  const together = Math.max(1, Math.floor((count * maxFlops) / (2 * m * n * k)));
  return matmulParts(args, { count, scratch: parts(count * m * n), together: Math.min(count, together) });
}

/**
 * Cuts an attention kernel over its heads, and where one head is still too long over rows from multiples of 64 on. Pieces share no sum, so a
 * cut changes no result.
 */
export function splitAttention(input: PlanInput, heads: number, make: (piece: AttentionPiece) => Dispatch): Dispatch[] {
  const work = amount(make({}).work.flops, capacityOf(input));
  const { dispatchFlops, rows } = input;
  if (work <= dispatchFlops) return [make({})];
  const step = Math.max(1, Math.floor((heads * dispatchFlops) / work));
  const starts = Array.from({ length: Math.ceil(heads / step) }, (_, i) => i * step);
  const ranges = starts.map((first) => [first, Math.min(step, heads - first)] as const);
  if (work / heads <= dispatchFlops) return ranges.map((range) => make({ range }));
  // A row of the last tile has the most pairs, twice the mean.
  const rowStep = Math.max(64, Math.floor((rows * heads * dispatchFlops) / (2 * work) / 64) * 64);
  const rowStarts = Array.from({ length: Math.ceil(rows / rowStep) }, (_, i) => i * rowStep);
  return ranges.flatMap((range) => rowStarts.map((first) => make({ range, rowRange: [first, Math.min(rowStep, rows - first)] })));
}
