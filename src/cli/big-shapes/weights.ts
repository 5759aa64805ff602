// The models of `npm run bigshapes`: shapes of public models with weights that anyone can compute again, element by element, from
// the tensor's place in the table alone. tools/oracle/big_shapes.py uses the same formula.

import { buildMicroBatch, type MicroBatch } from '../../data/batch/batch';
import type { TensorPiece } from '../../io/sources/model-files';
import { piecesOf } from '../../io/formats/pieces';
import { parameterTable } from '../../model/parameters';
import { elementsOf, type ModelShape, type ParameterRow } from '../../model/types';
import { randomStream } from '../../base/random';

/** w[i] = centre + spread · (2·u − 1), u = hash(i + 0x9e3779b9·(seed + 1)) / 2³², in float64 and then rounded to f32. */
export interface WeightRule {
  readonly seed: number;
  readonly centre: number;
  readonly spread: number;
}

export function weightRule({ role, local }: ParameterRow, index: number): WeightRule {
  const small = role === 'norm' || role === 'bias';
  return { seed: index, centre: role === 'norm' && local.endsWith('weight') ? 1 : 0, spread: small ? 0.0625 : 0.03125 };
}

export function weightsOf({ seed, centre, spread }: WeightRule, start: number, end: number): Float32Array<ArrayBuffer> {
  const data = new Float32Array(end - start);
  const offset = Math.imul(0x9e3779b9, seed + 1);
  for (let i = 0; i < data.length; i++) {
    let x = (start + i + offset) >>> 0;
    x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
    x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
    x = (x ^ (x >>> 16)) >>> 0;
    data[i] = centre + spread * (x / 2 ** 31 - 1);
  }
  return data;
}

export function* bigPieces(shape: ModelShape): Generator<TensorPiece> {
  for (const [index, row] of parameterTable(shape).entries()) {
    for (const [start, end] of piecesOf(elementsOf(row))) yield { row, start, data: weightsOf(weightRule(row, index), start, end) };
  }
}

/** Elements [start, end) of a tensor, as in the pieces. */
export const bigTensor = (shape: ModelShape, row: ParameterRow, start: number, end: number): Float32Array<ArrayBuffer> =>
  weightsOf(
    weightRule(
      row,
      parameterTable(shape).findIndex(({ name }) => name === row.name),
    ),
    start,
    end,
  );

/** T + 1 random tokens: T inputs, each of which predicts the next. */
export const bigTokens = (shape: ModelShape, seqLen: number): number[] => {
  const stream = randomStream(1, 'big shapes');
  return Array.from({ length: seqLen + 1 }, () => stream.nextBelow(shape.vocab));
};

export const bigBatch = (ids: readonly number[]): MicroBatch =>
  buildMicroBatch([[{ ids: Uint32Array.from(ids), target: Uint8Array.from(ids, (_, i) => (i === 0 ? 0 : 1)) }]]);
