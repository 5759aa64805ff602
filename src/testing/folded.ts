// A kernel of one workgroup a row folds its grid past 65,535 rows. With the fold at seven, a few dozen rows are enough to test that.

import { MAX_GROUPS } from '../dispatch/kernel';
import type { Grid, GridDim } from '../dispatch/extents';
import type { Dispatch } from '../dispatch/types';

const FOLD = 7;

/** The dispatch with its grid folded after FOLD workgroups, in the kernel's text and in the grid alike. */
export function foldedEarly(dispatch: Dispatch): Dispatch {
  const { kernel, grid } = dispatch;
  const wgsl = kernel.wgsl.replaceAll(`${MAX_GROUPS}u`, `${FOLD}u`);
  if (wgsl === kernel.wgsl) throw new Error(`${kernel.name} does not fold its grid.`);
  return { ...dispatch, kernel: { ...kernel, key: `${kernel.key}, folded early`, wgsl }, grid: grid.map(early) as unknown as Grid };
}

function early(dim: GridDim): GridDim {
  if (typeof dim === 'number') {
    if (dim > FOLD) throw new Error('A grid of a fixed size is folded before it is known.');
    return dim;
  }
  return { ...dim, ...(dim.most === MAX_GROUPS && { most: FOLD }), ...(dim.per === MAX_GROUPS && { per: FOLD }) };
}
