// Rotary position embeddings, in place on the q and k heads. Positions start at 0 in each document of a batch; while sampling they continue
// after the tokens in the cache.

import { FULL_VIEW, type Dispatch } from '../../dispatch/types';
import { rope as rotate } from '../../shaders/rope/rope';
import { headsOf } from './heads';
import type { ForwardSite, OpBase, Operation, Site } from './op';

export interface RopeOp extends OpBase {
  readonly kind: 'rope';
  /** By the angles of the layers with a window. */
  readonly local: boolean;
}

export const tablesOf = ({ local }: RopeOp, { context: { buffers } }: Site) => {
  const { cos, sin, positions } = (local ? buffers.localRope : buffers.rope)!;
  return { cos: FULL_VIEW(cos), sin: FULL_VIEW(sin), tableRows: positions };
};

export const rope: Operation<RopeOp> = {
  width: (_, __, input) => input,
  auxiliaries: () => [],
  tensors: () => [],
  keptForInput: () => [],
  keptForWeights: () => [],

  forward(op, site: ForwardSite): Dispatch[] {
    const segStart = site.cache ? undefined : site.context.buffers.inputViews.get('segStart')!;
    const label = site.label(op, 'fwd');
    return [rotate({ label, qkv: site.value(op.y), ...tablesOf(op, site), segStart, ...headsOf(site), inverse: false })];
  },

  backward(op, site) {
    if (!site.wantsInput(op)) return [];
    const segStart = site.context.buffers.inputViews.get('segStart')!;
    const label = site.label(op, 'dX');
    return [rotate({ label, qkv: site.gradient(op.y), ...tablesOf(op, site), segStart, ...headsOf(site), inverse: true })];
  },
};
