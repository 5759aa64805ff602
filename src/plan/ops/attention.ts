// Causal attention over grouped heads, inside the documents of a batch and, where the layer has one, inside a window that slides. The forward keeps the output and the
// log-sum-exp of each row; the backward computes the probabilities again, one kernel for dQ, one for dK and dV. While sampling
// it runs over the K/V cache.

import {
  attentionBwdDelta,
  attentionBwdDkv,
  attentionBwdDq,
  attentionBwdSum,
  attentionFwd,
  sumsByHead,
  type TurnBack,
} from '../../shaders/attention/attention';
import { attentionCached, cacheAppend } from '../../shaders/attention/attention_cached';
import { splitAttention } from '../split';
import { headsOf } from './heads';
import type { Dispatch, View } from '../../dispatch/types';
import type { BackwardSite, OpBase, Operation, Site } from './op';

export interface AttentionOp extends OpBase {
  readonly kind: 'attention';
  /** Only inside the model's window. */
  readonly local: boolean;
}

/** Where the keys of each query begin and where the queries of each key end. */
const boundsOf = ({ local }: AttentionOp, { context: { buffers } }: Site): { readonly segStart: View; readonly segEnd: View } => {
  const { inputViews } = buffers;
  return local
    ? { segStart: inputViews.get('windowStart')!, segEnd: inputViews.get('windowEnd')! }
    : { segStart: inputViews.get('segStart')!, segEnd: inputViews.get('segEnd')! };
};

export const attention: Operation<AttentionOp> = {
  width: (_, { heads, headDim }) => heads * headDim,
  auxiliaries: ({ y }, { heads }) => [{ name: `${y}.lse`, width: heads }],
  tensors: () => [],
  keptForInput: (op, shape) => [op.x, op.y, ...attention.auxiliaries(op, shape).map(({ name }) => name)],
  keptForWeights: () => [],

  forward(op, site) {
    const { input } = site.context;
    const { attentionScale: scale, window } = input.shape;
    const heads = headsOf(site);
    const [qkv, o, label] = [site.value(op.x), site.value(op.y), site.label(op, 'fwd')];
    if (site.cache) {
      const cache = { kCache: site.cache.k, vCache: site.cache.v, capacity: input.cacheTokens, ...heads };
      return [
        cacheAppend({ label: `${label} append`, qkv, ...cache }),
        attentionCached({ label, o, q: qkv, scale, window: op.local ? window!.size : undefined, ...cache }),
      ];
    }
    const { segStart } = boundsOf(op, site);
    const lse = site.value(`${op.y}.lse`);
    return splitAttention(input, heads.heads, (piece) =>
      attentionFwd({ label, o, lse, qkv, segStart, ...heads, ...piece, scale, family: input.kernels.attention }),
    );
  },

  backward: (op, site) => (site.wantsInput(op) ? attentionBackward(op, site) : []),
};

/** Whether the gradients of keys and values are made for each query head and added in a pass of their own. */
export const addsByHead = (site: Site): boolean => site.context.input.kernels.attention === 'tiles' && sumsByHead(headsOf(site));

/** Gradients of q, k and v; `turn`: that pass also turns them back by their rotary positions. */
export function attentionBackward(op: AttentionOp, site: BackwardSite, turn?: TurnBack): Dispatch[] {
  const { input } = site.context;
  const sizes = headsOf(site);
  const { rows, heads, kvHeads, headDim } = sizes;
  const family = input.kernels.attention;
  const delta = site.scratch(`d.${op.y}.delta`, rows * heads);
  const [o, dout] = [site.value(op.y), site.gradient(op.y)];
  const common = {
    dqkv: site.gradient(op.x),
    dout,
    qkv: site.value(op.x),
    lse: site.value(`${op.y}.lse`),
    delta,
    ...sizes,
    scale: input.shape.attentionScale,
    family,
  };
  const { segStart, segEnd } = boundsOf(op, site);
  const byHead = addsByHead(site) ? site.scratch(`d.${op.x}.heads`, 2 * rows * heads * headDim) : undefined;
  const dkv = { ...common, label: site.label(op, 'dKV'), segEnd, byHead };
  return [
    ...(family === 'software' ? [attentionBwdDelta({ label: site.label(op, 'delta'), delta, dout, o, rows, heads, headDim })] : []),
    ...splitAttention(input, heads, (piece) => attentionBwdDq({ ...common, ...piece, label: site.label(op, 'dQ'), o, segStart })),
    ...splitAttention(input, byHead ? heads : kvHeads, (piece) => attentionBwdDkv({ ...dkv, ...piece })),
    ...(byHead ? [attentionBwdSum({ ...sizes, label: site.label(op, 'dKV sum'), dqkv: common.dqkv, byHead, turn })] : []),
  ];
}
