// How much of a prompt goes through the model at once.

import { LEAST_DISPATCH_FLOPS, type PlanInput } from './input';
import { layerOps } from './layers';

/**
 * The longest piece of a prompt for which no dispatch takes too long. Sampling runs the same dispatches for a prompt and for every new
 * token after it. Cutting the dispatches would slow down every token, so the prompt is cut instead.
 */
export function promptRows({ shape, rows, cacheTokens }: PlanInput): number {
  const linear = layerOps(shape).reduce((most, op) => (op.kind === 'linear' ? Math.max(most, 2 * op.in * op.out) : most), 0);
  const attention = 4 * shape.heads * shape.headDim * cacheTokens;
  return Math.min(rows, Math.max(1, Math.floor(LEAST_DISPATCH_FLOPS / Math.max(linear, attention))));
}
