// RMS norm of each q and k head, in place; all q heads share a weight, all k heads another (Qwen3).

import { rmsNormHeadsBwdDw, rmsNormHeadsBwdDx, rmsNormHeadsFwd } from '../../shaders/norm/rms_norm_heads';
import { headsOf } from './heads';
import type { OpBase, Operation } from './op';

export interface HeadNormOp extends OpBase {
  readonly kind: 'head_norm';
  /** Name of the fused group of both weights. */
  readonly weight: string;
}

export const headNorm: Operation<HeadNormOp> = {
  width: (_, __, input) => input,
  auxiliaries: ({ y }, { heads, kvHeads, headDim }) => [
    { name: `${y}.raw`, width: (heads + kvHeads) * headDim },
    { name: `${y}.rstd`, width: heads + kvHeads },
  ],
  tensors: ({ weight }) => [weight],
  keptForInput: (op, shape) => headNorm.auxiliaries(op, shape).map(({ name }) => name),
  keptForWeights: (op, shape) => headNorm.keptForInput(op, shape),

  forward(op, site) {
    const { y, weight } = op;
    const kept = { raw: site.value(`${y}.raw`), rstd: site.value(`${y}.rstd`) };
    const { normEps: eps, normOffset: offset } = site.context.input.shape;
    const w = site.weight(weight);
    return [rmsNormHeadsFwd({ label: site.label(op, 'fwd'), qkv: site.value(y), ...kept, w, ...headsOf(site), eps, offset })];
  },

  backward(op, site) {
    const { y, weight } = op;
    const { normOffset: offset } = site.context.input.shape;
    const common = { dqkv: site.gradient(y), raw: site.value(`${y}.raw`), rstd: site.value(`${y}.rstd`), ...headsOf(site) };
    const list = [];
    if (site.trained) list.push(rmsNormHeadsBwdDw({ ...common, label: site.label(op, 'head norm dW'), dw: site.weightGradient(weight) }));
    if (site.wantsInput(op))
      list.push(rmsNormHeadsBwdDx({ ...common, label: site.label(op, 'head norm dX'), w: site.weight(weight), offset }));
    return list;
  },
};
