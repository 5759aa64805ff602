// Backward: a linear operation and the activation before it. The gradient of the activation's output is never written.

import type { Epilogue } from '../../../shaders/matmul/epilogue';
import { weightGradients } from '../linear';
import type { BackwardSite } from '../op';
import { fusedProduct, mayFuse, type Fusion } from './fusion';

export const activationLinear: Fusion<BackwardSite> = ([first, second], site) => {
  // An epilogue takes the place of the product's own factor.
  if (first?.kind !== 'linear' || (first.scale ?? 1) !== 1 || !mayFuse(site, first.in)) return null;
  if ((second?.kind !== 'gelu' && second?.kind !== 'swiglu') || second.y !== first.x || !site.wantsInput(second)) return null;
  const x = site.value(second.x);
  const epilogue: Epilogue = second.kind === 'swiglu' ? { kind: 'swiglu_bwd', gu: x } : { kind: 'gelu_bwd', form: second.form, x };
  const product = {
    label: site.label(second, 'dX'),
    layout: first.layout === 'nt' ? 'nn' : 'nt',
    y: site.gradient(second.x),
    a: site.gradient(first.y),
    b: site.weight(first.weight),
    m: site.rows,
    n: first.in,
    k: first.out,
    live: site.live,
    epilogue,
  } as const;
  return { takes: 2, dispatches: [...weightGradients(first, site), ...fusedProduct(site, product)] };
};
