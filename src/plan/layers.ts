// A transformer layer as a list of operations, top to bottom. The list is the model: the planner walks it down for the forward
// pass and up, through the same operations, for the backward pass. Adding an architecture means writing its list (and its
// parameter table).

import type { ModelShape } from '../model/types';
import type { LinearOp, LinearSlice } from './ops/linear-op';
import type { NormOp } from './ops/norm';
import type { LayerOp } from './ops/registry';

/** Layers differ in their masks and angles alone: operations, values and tensors have the same names and widths in all of them. */
export function layerOps(s: ModelShape, layer = 0): LayerOp[] {
  return s.style === 'gpt2' ? gpt2Layer(s) : llamaLayer(s, layer);
}

/** The highest layer of every kind, the top one first: layers of one kind do the same. */
export function layerKinds(s: ModelShape): number[] {
  const highest = new Map<string, number>();
  for (let layer = s.layers - 1; layer >= 0; layer--) {
    const kind = JSON.stringify(layerOps(s, layer));
    if (!highest.has(kind)) highest.set(kind, layer);
  }
  return [...highest.values()];
}

function llamaLayer(s: ModelShape, layer: number): LayerOp[] {
  const q = s.heads * s.headDim;
  const kv = s.kvHeads * s.headDim;
  const local = s.window?.layers.includes(layer) ?? false;
  const norm = (x: string, y: string, name: string, residual: string | null = null): NormOp => ({
    kind: 'norm',
    x,
    y,
    weight: `${name}.weight`,
    bias: null,
    residual,
  });
  /** A product that joins the residual stream: as it is, or normed. */
  const join = (op: LinearOp, residual: string, normName: string): LayerOp[] =>
    s.sandwich
      ? [{ ...op, y: `${op.y}.raw` }, norm(`${op.y}.raw`, op.y, normName, residual)]
      : [{ ...op, residual, scale: s.residualScale }];
  return [
    norm('in', 'n1', 'input_layernorm'),
    {
      ...linear('n1', 'qkv', 'qkv', s.qkvBias ? 'qkv_bias' : null, s.width, [
        { name: 'self_attn.q_proj', out: q },
        { name: 'self_attn.k_proj', out: kv },
        { name: 'self_attn.v_proj', out: kv },
      ]),
    },
    ...(s.qkNorm ? [{ kind: 'head_norm', x: 'qkv', y: 'qkv', weight: 'qk_norm' } as const] : []),
    ...(s.ropeless.includes(layer) ? [] : [{ kind: 'rope', x: 'qkv', y: 'qkv', local: local && s.window!.rope !== null } as const]),
    { kind: 'attention', x: 'qkv', y: 'attn', local },
    ...join(
      linear('attn', 'mid', 'self_attn.o_proj.weight', s.attentionOutBias ? 'self_attn.o_proj.bias' : null, q, [
        { name: 'self_attn.o_proj', out: s.width },
      ]),
      'in',
      'post_attention_layernorm',
    ),
    norm('mid', 'n2', s.sandwich ? 'pre_feedforward_layernorm' : 'post_attention_layernorm'),
    {
      ...linear('n2', 'up', 'gate_up', s.mlpBias ? 'gate_up_bias' : null, s.width, [
        { name: 'mlp.gate_proj', out: s.ff },
        { name: 'mlp.up_proj', out: s.ff },
      ]),
    },
    { kind: s.activation === 'geglu' ? 'geglu' : 'swiglu', x: 'up', y: 'act' },
    ...join(
      linear('act', 'out', 'mlp.down_proj.weight', s.mlpBias ? 'mlp.down_proj.bias' : null, s.ff, [
        { name: 'mlp.down_proj', out: s.width },
      ]),
      'mid',
      'post_feedforward_layernorm',
    ),
  ];
}

function gpt2Layer(s: ModelShape): LayerOp[] {
  const conv1d = (x: string, y: string, name: string, inputs: number, out: number, residual: string | null): LinearOp => ({
    ...linear(x, y, `${name}.weight`, `${name}.bias`, inputs, [{ name, out }]),
    layout: 'nn',
    residual,
  });
  return [
    { kind: 'norm', x: 'in', y: 'n1', weight: 'ln_1.weight', bias: 'ln_1.bias' },
    conv1d('n1', 'qkv', 'attn.c_attn', s.width, 3 * s.width, null),
    { kind: 'attention', x: 'qkv', y: 'attn', local: false },
    conv1d('attn', 'mid', 'attn.c_proj', s.width, s.width, 'in'),
    { kind: 'norm', x: 'mid', y: 'n2', weight: 'ln_2.weight', bias: 'ln_2.bias' },
    conv1d('n2', 'up', 'mlp.c_fc', s.width, s.ff, null),
    { kind: 'gelu', form: s.activation === 'gelu_erf' ? 'erf' : 'tanh', x: 'up', y: 'act' },
    conv1d('act', 'out', 'mlp.c_proj', s.ff, s.width, 'mid'),
  ];
}

function linear(x: string, y: string, weight: string, bias: string | null, inputs: number, slices: readonly LinearSlice[]): LinearOp {
  const out = slices.reduce((sum, slice) => sum + slice.out, 0);
  return { kind: 'linear', x, y, weight, bias, layout: 'nt', in: inputs, out, residual: null, slices };
}
