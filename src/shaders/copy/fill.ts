// Fills a range with one value; clears are kernels, so that a step stays one list of dispatches.

import type { Dispatch, View } from '../../dispatch/types';
import { dispatch, expectElements, foldedGrid, kernel } from '../../dispatch/kernel';
import { padded } from '../lib/rowwise';
import wgsl from './fill.wgsl?raw';

export interface FillArgs {
  readonly label: string;
  readonly x: View;
  readonly elements: number;
  readonly value: number;
  /** Only in the first micro-batch of an optimizer step. */
  readonly onlyFirst?: boolean;
}

/** x[0 … elements) = value, and the rest of the last vec4, which is padding. */
export function fill({ label, x, elements, value, onlyFirst }: FillArgs): Dispatch {
  expectElements('fill', 'x', x, elements);
  const steps = Math.ceil(elements / 4);
  return dispatch(
    kernel('fill', [wgsl]),
    label,
    { x: padded(x) },
    { steps, only_first: onlyFirst ? 1 : 0, value },
    foldedGrid(Math.ceil(steps / 256)),
    {
      flops: {},
      bytes: { one: 4 * elements },
    },
  );
}
