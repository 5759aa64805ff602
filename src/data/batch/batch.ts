// A micro-batch as the GPU reads it: one flat stream of N tokens, document after document without padding. Each
// document is a segment: positions restart at its start and attention stays inside. Everything that a kernel needs
// in sorted order (targets, equal token ids, equal positions) is sorted here, so that sums on the GPU have one order.

import { AppError } from '../../base/errors';
import type { Extents } from '../../dispatch/extents';
import { inputTokens, type Sample } from '../read/types';

/** In `inverse`: the row does not count toward the loss. */
export const NO_TARGET = 0xffffffff;

export interface MicroBatch {
  /** N. */
  readonly rows: number;
  /** M. */
  readonly targets: number;
  /** [N] */
  readonly tokens: Uint32Array<ArrayBuffer>;
  /** [N] First row of the row's segment, and one past its last. */
  readonly segStart: Uint32Array<ArrayBuffer>;
  readonly segEnd: Uint32Array<ArrayBuffer>;
  /** [M] Rows whose logits predict a target, ascending. */
  readonly targetRows: Uint32Array<ArrayBuffer>;
  /** [M] The token to predict there. */
  readonly labels: Uint32Array<ArrayBuffer>;
  /** [N] Index in targetRows, or NO_TARGET. */
  readonly inverse: Uint32Array<ArrayBuffer>;
  /** [N] Rows by rising token id, equal ids by rising row. */
  readonly tokenOrder: Uint32Array<ArrayBuffer>;
  /** [U + 1] Where each distinct id starts in tokenOrder, and N. */
  readonly tokenGroupStart: Uint32Array<ArrayBuffer>;
  /** [U] The distinct ids, rising. */
  readonly tokenGroupId: Uint32Array<ArrayBuffer>;
  /** The same by position, n − segStart[n]. */
  readonly positionOrder: Uint32Array<ArrayBuffer>;
  readonly positionGroupStart: Uint32Array<ArrayBuffer>;
  readonly positionGroupId: Uint32Array<ArrayBuffer>;
  readonly extents: Extents;
}

interface Groups {
  readonly order: Uint32Array<ArrayBuffer>;
  readonly start: Uint32Array<ArrayBuffer>;
  readonly id: Uint32Array<ArrayBuffer>;
}

/** Rows grouped by key, stable. */
function groupBy(keys: Uint32Array): Groups {
  const n = keys.length;
  // Key and row in one number: below 2⁵³ for 2³² keys and 2²¹ rows.
  const sorted = Float64Array.from(keys, (key, row) => key * n + row).sort();
  const order = new Uint32Array(n);
  const start: number[] = [];
  const id: number[] = [];
  for (let at = 0; at < n; at++) {
    const row = sorted[at] % n;
    order[at] = row;
    if (id.length === 0 || id[id.length - 1] !== keys[row]) {
      start.push(at);
      id.push(keys[row]);
    }
  }
  return { order, start: Uint32Array.from([...start, n]), id: Uint32Array.from(id) };
}

/**
 * The micro-batch of B rows of packed samples. Rows only affect the order. A sample of l tokens becomes a segment of l − 1
 * inputs with labels shifted by one, so its last token does not predict the next document.
 */
export function buildMicroBatch(rowsOfSamples: readonly (readonly Sample[])[]): MicroBatch {
  const samples = rowsOfSamples.flat();
  const rows = samples.reduce((sum, sample) => sum + inputTokens(sample), 0);
  if (rows === 0 || samples.some((sample) => inputTokens(sample) < 1))
    throw new AppError('INTERNAL', 'A micro-batch without tokens, or a sample of fewer than two.', '');
  const tokens = new Uint32Array(rows);
  const segStart = new Uint32Array(rows);
  const segEnd = new Uint32Array(rows);
  const positions = new Uint32Array(rows);
  const inverse = new Uint32Array(rows).fill(NO_TARGET);
  const targetRows: number[] = [];
  const labels: number[] = [];
  let pairs = 0;
  let start = 0;
  for (const sample of samples) {
    const length = inputTokens(sample);
    tokens.set(sample.ids.subarray(0, length), start);
    segStart.fill(start, start, start + length);
    segEnd.fill(start + length, start, start + length);
    for (let i = 0; i < length; i++) {
      positions[start + i] = i;
      if (!sample.target[i + 1]) continue;
      inverse[start + i] = targetRows.length;
      targetRows.push(start + i);
      labels.push(sample.ids[i + 1]);
    }
    pairs += (length * (length + 1)) / 2;
    start += length;
  }
  const byToken = groupBy(tokens);
  const byPosition = groupBy(positions);
  return {
    rows,
    targets: targetRows.length,
    tokens,
    segStart,
    segEnd,
    targetRows: Uint32Array.from(targetRows),
    labels: Uint32Array.from(labels),
    inverse,
    tokenOrder: byToken.order,
    tokenGroupStart: byToken.start,
    tokenGroupId: byToken.id,
    positionOrder: byPosition.order,
    positionGroupStart: byPosition.start,
    positionGroupId: byPosition.id,
    extents: { rows, targets: targetRows.length, tokenGroups: byToken.id.length, positionGroups: byPosition.id.length, pairs },
  };
}
