// Forward: a linear operation and the activation after it. What the activation reads is written only if the backward reads it.

import type { Epilogue } from '../../../shaders/matmul/epilogue';
import { pairsUp } from '../../../shaders/matmul/epilogue';
import type { ForwardSite } from '../op';
import { forwardProduct, fusedProduct, mayFuse, type Fusion } from './fusion';

export const linearActivation: Fusion<ForwardSite> = ([first, second], site) => {
  if (first?.kind !== 'linear' || first.residual !== null || site.cache || !mayFuse(site, first.out)) return null;
  if ((second?.kind !== 'gelu' && second?.kind !== 'swiglu') || second.x !== first.y) return null;
  if (second.kind === 'swiglu' && (first.layout !== 'nt' || !pairsUp(first.out, first.out / 2))) return null;
  const of = { act: site.value(second.y), keep: site.outlives(first.y) };
  const epilogue: Epilogue = second.kind === 'swiglu' ? { kind: 'swiglu', ...of } : { kind: 'gelu', form: second.form, ...of };
  return { takes: 2, dispatches: fusedProduct(site, { ...forwardProduct(first, site), y: site.value(first.y), epilogue }) };
};
