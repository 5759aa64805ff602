// Backward of a frozen feed-forward: down, SwiGLU, gate and up, and the RMS norm before them, in two products. The gradient of the norm's input
// needs one sum of each row; the first product leaves it in parts, and the second adds the gradient to the residual stream's.

import { rowSumGroups } from '../../../shaders/matmul/fused';
import { RESIDUAL_STREAM, type BackwardSite } from '../op';
import { fusedProduct, mayFuse, type Fusion } from './fusion';

export const feedForward: Fusion<BackwardSite> = ([down, act, up, norm], site) => {
  if (site.trained || down?.kind !== 'linear' || act?.kind !== 'swiglu' || up?.kind !== 'linear' || norm?.kind !== 'norm') return null;
  if (act.y !== down.x || up.y !== act.x || norm.y !== up.x || !RESIDUAL_STREAM.has(norm.x)) return null;
  if (
    norm.bias !== null ||
    norm.residual ||
    site.context.input.shape.normOffset !== 0 ||
    up.bias !== null ||
    (down.scale ?? 1) !== 1 ||
    down.layout !== 'nt' ||
    up.layout !== 'nt' ||
    !site.wantsInput(norm)
  )
    return null;
  if (!mayFuse(site, down.in) || !mayFuse(site, up.in)) return null;
  const { rows: m, live } = site;
  const groups = rowSumGroups(m, down.in);
  const along = site.scratch(`d.${up.y}.along`, m * groups);
  const common = { layout: 'nn', m, live } as const;
  return {
    takes: 4,
    dispatches: [
      ...fusedProduct(site, {
        ...common,
        label: site.label(act, 'dX'),
        y: site.gradient(act.x),
        a: site.gradient(down.y),
        b: site.weight(down.weight),
        n: down.in,
        k: down.out,
        epilogue: { kind: 'swiglu_bwd', gu: site.value(act.x), along },
      }),
      ...fusedProduct(site, {
        ...common,
        label: site.label(norm, 'dX'),
        y: site.gradient(norm.x),
        a: site.gradient(up.y),
        b: site.weight(up.weight),
        n: up.in,
        k: up.out,
        epilogue: {
          kind: 'norm_bwd',
          x: site.value(norm.x),
          gain: site.weight(norm.weight),
          rstd: site.value(`${norm.y}.rstd`),
          along,
          groups,
        },
      }),
    ],
  };
};
