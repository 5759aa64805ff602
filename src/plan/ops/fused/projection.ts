// Forward: a linear operation with the norm before it, if its layer is frozen, and with the activation or the rotary positions after it.
// What the activation reads is written only if the backward reads it; the norm's output is never written, because only the gradient of
// the weights reads it.

import { pairsUp, type Epilogue } from '../../../shaders/matmul/epilogue';
import type { NormBefore } from '../../../shaders/matmul/fused';
import { DEFAULT_LIMITS } from '../../../dispatch/limits';
import type { LinearOp } from '../linear-op';
import { statsOf, type NormOp } from '../norm';
import type { ForwardSite } from '../op';
import type { LayerOp } from '../registry';
import { tablesOf } from '../rope';
import { fusedProduct, mayFuse, type Fusion } from './fusion';

export const projection: Fusion<ForwardSite> = (ops, site) => {
  const [first] = ops;
  const norm = first?.kind === 'norm' && mayPrecede(first, ops, site) ? first : null;
  const [linear, next] = ops.slice(norm ? 1 : 0);
  if (linear?.kind !== 'linear' || linear.residual !== null || (linear.scale ?? 1) !== 1 || site.cache || !mayFuse(site, linear.out))
    return null;
  const after = next === undefined ? null : epilogueOf(linear, next, site);
  if (!norm && !after) return null;
  const epilogue = after ?? ({ kind: 'plain' } as const);
  const dispatches = fusedProduct(site, {
    label: site.label(linear, 'fwd'),
    layout: linear.layout === 'nt' ? 'nt' : 'nn',
    y: site.value(linear.y),
    a: site.value(norm ? norm.x : linear.x),
    b: site.weight(linear.weight),
    m: site.rows,
    n: linear.out,
    k: linear.in,
    live: site.live,
    bias: linear.bias === null ? undefined : site.weight(linear.bias),
    epilogue,
    norm: norm ? normBefore(norm, site) : undefined,
  });
  const bindings = dispatches[0].kernel.bindings.length;
  // The norm by itself then, and the rest as the next fusion.
  if (bindings > DEFAULT_LIMITS.maxStorageBuffersPerShaderStage) return null;
  return { takes: (norm ? 2 : 1) + (after ? 1 : 0), dispatches };
};

/** In a layer that trains, the gradient of the weights reads the norm's output. */
function mayPrecede(norm: NormOp, ops: readonly LayerOp[], site: ForwardSite): boolean {
  const [, linear] = ops;
  const only = ops.filter(({ x }) => x === norm.y).length === 1;
  return !site.trains && !norm.residual && only && linear?.kind === 'linear' && linear.x === norm.y && linear.in % 4 === 0;
}

function normBefore(norm: NormOp, site: ForwardSite): NormBefore {
  const { normEps: eps, normOffset: offset } = site.context.input.shape;
  const [w, left] = [site.weight(norm.weight), site.value(statsOf(norm))];
  if (norm.bias === null) return { kind: 'rms', w, rstd: left, eps, offset };
  return { kind: 'layer', w, b: site.weight(norm.bias), stats: left, eps };
}

function epilogueOf(linear: LinearOp, next: LayerOp, site: ForwardSite): Epilogue | null {
  if (next.x !== linear.y) return null;
  const paired = (half: number): boolean => linear.layout === 'nt' && pairsUp(linear.out, half);
  const { headDim, heads, kvHeads } = site.context.input.shape;
  if (next.kind === 'rope') {
    if (!paired(headDim / 2)) return null;
    return {
      kind: 'rope',
      headDim,
      turned: heads + kvHeads,
      ...tablesOf(next, site),
      segStart: site.context.buffers.inputViews.get('segStart')!,
    };
  }
  if (next.kind === 'gelu') return { kind: 'gelu', form: next.form, act: site.value(next.y), keep: site.outlives(linear.y) };
  if (next.kind !== 'swiglu' || !paired(linear.out / 2)) return null;
  return { kind: 'swiglu', act: site.value(next.y), keep: site.outlives(linear.y) };
}
