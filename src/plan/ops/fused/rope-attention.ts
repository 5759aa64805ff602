// Backward: attention and the rotary positions before it. Where the gradients of keys and values are added in a pass of their own, that pass
// turns the gradients of queries and keys back.

import { addsByHead, attentionBackward } from '../attention';
import type { BackwardSite } from '../op';
import { tablesOf } from '../rope';
import type { Fusion } from './fusion';

export const ropeAttention: Fusion<BackwardSite> = ([first, second], site) => {
  if (first?.kind !== 'attention' || second?.kind !== 'rope' || second.y !== first.x) return null;
  if (!site.wantsInput(first) || !site.wantsInput(second) || !addsByHead(site)) return null;
  const segStart = site.context.buffers.inputViews.get('segStart')!;
  return { takes: 2, dispatches: attentionBackward(first, site, { ...tablesOf(second, site), segStart }) };
};
