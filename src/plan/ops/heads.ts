// The sizes that every operation over attention heads needs.

import type { Site } from './op';

export const headsOf = ({ context, rows }: Site) => {
  const { heads, kvHeads, headDim } = context.input.shape;
  return { heads, kvHeads, headDim, rows };
};
