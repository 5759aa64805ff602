// Forward: the projection to q, k and v, and the rotary positions of q and k.

import { pairsUp } from '../../../shaders/matmul/epilogue';
import type { ForwardSite } from '../op';
import { tablesOf } from '../rope';
import { forwardProduct, fusedProduct, mayFuse, type Fusion } from './fusion';

export const linearRope: Fusion<ForwardSite> = ([first, second], site) => {
  if (first?.kind !== 'linear' || first.residual !== null || site.cache || !mayFuse(site, first.out)) return null;
  if (second?.kind !== 'rope' || second.x !== first.y || first.layout !== 'nt') return null;
  const { input, buffers } = site.context;
  const { headDim, heads, kvHeads } = input.shape;
  if (!pairsUp(first.out, headDim / 2)) return null;
  const segStart = buffers.inputViews.get('segStart')!;
  const epilogue = { kind: 'rope', headDim, turned: heads + kvHeads, ...tablesOf(site), segStart } as const;
  return { takes: 2, dispatches: fusedProduct(site, { ...forwardProduct(first, site), y: site.value(second.y), epilogue }) };
};
