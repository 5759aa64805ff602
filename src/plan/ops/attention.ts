// Causal attention over grouped heads, inside the documents of a batch. The forward keeps the output and the
// log-sum-exp of each row; the backward computes the probabilities again, one kernel for dQ, one for dK and dV. While sampling
// it runs over the K/V cache.

import { attentionBwdDelta, attentionBwdDkv, attentionBwdDq, attentionFwd } from '../../shaders/attention/attention';
import { attentionCached, cacheAppend } from '../../shaders/attention/attention_cached';
import { splitHeads } from '../split';
import { headsOf } from './heads';
import type { OpBase, Operation } from './op';

export interface AttentionOp extends OpBase {
  readonly kind: 'attention';
}

const scaleOf = (headDim: number): number => 1 / Math.sqrt(headDim);

export const attention: Operation<AttentionOp> = {
  width: (_, { heads, headDim }) => heads * headDim,
  auxiliaries: ({ y }, { heads }) => [{ name: `${y}.lse`, width: heads }],
  tensors: () => [],
  keptForInput: (op, shape) => [op.x, op.y, ...attention.auxiliaries(op, shape).map(({ name }) => name)],
  keptForWeights: () => [],

  forward(op, site) {
    const { input, buffers } = site.context;
    const heads = headsOf(site);
    const [qkv, o, scale, label] = [site.value(op.x), site.value(op.y), scaleOf(heads.headDim), site.label(op, 'fwd')];
    if (site.cache) {
      const cache = { kCache: site.cache.k, vCache: site.cache.v, capacity: input.cacheTokens, ...heads };
      return [cacheAppend({ label: `${label} append`, qkv, ...cache }), attentionCached({ label, o, q: qkv, scale, ...cache })];
    }
    const segStart = buffers.inputViews.get('segStart')!;
    const lse = site.value(`${op.y}.lse`);
    return splitHeads(input, heads.heads, (range) =>
      attentionFwd({ label, o, lse, qkv, segStart, ...heads, range, scale, family: input.kernels.attention }),
    );
  },

  backward(op, site) {
    if (!site.wantsInput(op)) return [];
    const { input, buffers } = site.context;
    const { rows, heads, kvHeads, headDim } = headsOf(site);
    const delta = site.scratch(`d.${op.y}.delta`, rows * heads);
    const dout = site.gradient(op.y);
    const common = {
      dqkv: site.gradient(op.x),
      dout,
      qkv: site.value(op.x),
      lse: site.value(`${op.y}.lse`),
      delta,
      ...headsOf(site),
      scale: scaleOf(headDim),
      family: input.kernels.attention,
    };
    const [segStart, segEnd] = (['segStart', 'segEnd'] as const).map((name) => buffers.inputViews.get(name)!);
    return [
      attentionBwdDelta({ label: site.label(op, 'delta'), delta, dout, o: site.value(op.y), rows, heads, headDim }),
      ...splitHeads(input, heads, (range) => attentionBwdDq({ ...common, range, label: site.label(op, 'dQ'), segStart })),
      ...splitHeads(input, kvHeads, (range) => attentionBwdDkv({ ...common, range, label: site.label(op, 'dKV'), segEnd })),
    ];
  },
};
