// A transformer layer as a list of operations, top to bottom. The list is the model: the planner walks it
// forward for the forward pass and in reverse, op by op through each op's adjoint, for the backward pass.
// Adding an architecture means writing its list (and its parameter table).
//
// Values are named; 'in', 'mid' and 'out' are the residual stream before attention, between attention and
// feed-forward, and after the layer. Each op says what its adjoint needs to have been kept.

import type { ModelShape } from './types';

interface NormOp {
  readonly kind: 'norm';
  readonly x: string;
  readonly y: string;
  /** Local tensor names. */
  readonly weight: string;
  readonly bias: string | null;
}

/** A column range of a linear's output that has a name of its own: q, k and v of a fused projection. */
interface LinearPart {
  readonly name: string;
  readonly out: number;
}

export interface LinearOp {
  readonly kind: 'linear';
  readonly x: string;
  readonly y: string;
  /** Local tensor name, or the name of a fused group. */
  readonly weight: string;
  readonly bias: string | null;
  /** nt: stored [out, in]; nn: stored [in, out] (GPT-2's Conv1D). */
  readonly layout: 'nt' | 'nn';
  readonly in: number;
  readonly out: number;
  /** A value added to the output. */
  readonly residual: string | null;
  readonly parts: readonly LinearPart[];
}

/** RMS norm of each q and k head, in place; all q heads share a weight, all k heads another. */
interface HeadNormOp {
  readonly kind: 'head_norm';
  readonly x: string;
  readonly y: string;
  /** Name of the fused group of both weights. */
  readonly weight: string;
}

/** In place on the q and k heads. */
interface RopeOp {
  readonly kind: 'rope';
  readonly x: string;
  readonly y: string;
}

interface AttentionOp {
  readonly kind: 'attention';
  readonly x: string;
  readonly y: string;
}

interface ActivationOp {
  readonly kind: 'gelu_tanh' | 'gelu_erf' | 'swiglu';
  readonly x: string;
  readonly y: string;
}

export type LayerOp = NormOp | LinearOp | HeadNormOp | RopeOp | AttentionOp | ActivationOp;

/** Values that are one and the same gradient buffer: the residual stream. */
export const RESIDUAL_STREAM = new Set(['in', 'mid', 'out']);

export function layerOps(s: ModelShape): LayerOp[] {
  return s.style === 'gpt2' ? gpt2Layer(s) : llamaLayer(s);
}

function llamaLayer(s: ModelShape): LayerOp[] {
  const q = s.heads * s.headDim;
  const kv = s.kvHeads * s.headDim;
  return [
    { kind: 'norm', x: 'in', y: 'n1', weight: 'input_layernorm.weight', bias: null },
    {
      ...linear('n1', 'qkv', 'qkv', s.qkvBias ? 'qkv_bias' : null, s.width, [
        { name: 'self_attn.q_proj', out: q },
        { name: 'self_attn.k_proj', out: kv },
        { name: 'self_attn.v_proj', out: kv },
      ]),
    },
    ...(s.qkNorm ? [{ kind: 'head_norm', x: 'qkv', y: 'qkv', weight: 'qk_norm' } as const] : []),
    { kind: 'rope', x: 'qkv', y: 'qkv' },
    { kind: 'attention', x: 'qkv', y: 'attn' },
    {
      ...linear('attn', 'mid', 'self_attn.o_proj.weight', s.attentionOutBias ? 'self_attn.o_proj.bias' : null, q, [
        { name: 'self_attn.o_proj', out: s.width },
      ]),
      residual: 'in',
    },
    { kind: 'norm', x: 'mid', y: 'n2', weight: 'post_attention_layernorm.weight', bias: null },
    {
      ...linear('n2', 'up', 'gate_up', s.mlpBias ? 'gate_up_bias' : null, s.width, [
        { name: 'mlp.gate_proj', out: s.ff },
        { name: 'mlp.up_proj', out: s.ff },
      ]),
    },
    { kind: 'swiglu', x: 'up', y: 'act' },
    {
      ...linear('act', 'out', 'mlp.down_proj.weight', s.mlpBias ? 'mlp.down_proj.bias' : null, s.ff, [
        { name: 'mlp.down_proj', out: s.width },
      ]),
      residual: 'mid',
    },
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
    { kind: 'attention', x: 'qkv', y: 'attn' },
    conv1d('attn', 'mid', 'attn.c_proj', s.width, s.width, 'in'),
    { kind: 'norm', x: 'mid', y: 'n2', weight: 'ln_2.weight', bias: 'ln_2.bias' },
    conv1d('n2', 'up', 'mlp.c_fc', s.width, s.ff, null),
    { kind: s.activation as 'gelu_tanh' | 'gelu_erf', x: 'up', y: 'act' },
    conv1d('act', 'out', 'mlp.c_proj', s.ff, s.width, 'mid'),
  ];
}

function linear(x: string, y: string, weight: string, bias: string | null, inputs: number, parts: readonly LinearPart[]): LinearOp {
  const out = parts.reduce((sum, part) => sum + part.out, 0);
  return { kind: 'linear', x, y, weight, bias, layout: 'nt', in: inputs, out, residual: null, parts };
}

/** Values that an op writes beside y, by row width: what its adjoint wants to be told again. */
export function auxiliaries(op: LayerOp, s: ModelShape): { readonly name: string; readonly width: number }[] {
  if (op.kind === 'norm') {
    const rstd = { name: `${op.y}.rstd`, width: 1 };
    return s.norm === 'layer' ? [{ name: `${op.y}.mean`, width: 1 }, rstd] : [rstd];
  }
  if (op.kind === 'head_norm') {
    const heads = s.heads + s.kvHeads;
    return [
      { name: `${op.y}.raw`, width: heads * s.headDim },
      { name: `${op.y}.rstd`, width: heads },
    ];
  }
  return op.kind === 'attention' ? [{ name: `${op.y}.lse`, width: s.heads }] : [];
}

/** Width of every value of a layer, in elements a row. */
export function valueWidths(ops: readonly LayerOp[], s: ModelShape): Map<string, number> {
  const widths = new Map<string, number>([['in', s.width]]);
  for (const op of ops) {
    if (op.kind === 'linear') widths.set(op.y, op.out);
    else if (op.kind === 'attention') widths.set(op.y, s.heads * s.headDim);
    else if (op.kind === 'swiglu') widths.set(op.y, s.ff);
    else widths.set(op.y, widths.get(op.x)!);
    for (const { name, width } of auxiliaries(op, s)) widths.set(name, width);
  }
  return widths;
}

/** What the gradient of an op's input needs to have been kept from the forward pass. */
export function neededForInput(op: LayerOp, s: ModelShape): string[] {
  switch (op.kind) {
    case 'norm':
      return [op.x, ...auxiliaries(op, s).map((a) => a.name)];
    case 'head_norm':
      return auxiliaries(op, s).map((a) => a.name);
    case 'attention':
      return [op.x, op.y, ...auxiliaries(op, s).map((a) => a.name)];
    case 'gelu_tanh':
    case 'gelu_erf':
    case 'swiglu':
      return [op.x];
    case 'linear':
    case 'rope':
      return [];
  }
}

/** What the gradient of an op's own weights needs; empty for ops without weights. */
export function neededForWeights(op: LayerOp, s: ModelShape): string[] {
  if (op.kind === 'linear') return [op.x];
  return op.kind === 'norm' || op.kind === 'head_norm' ? neededForInput(op, s) : [];
}
