// The parameter table: a row per tensor, in checkpoint names, from the model's shape alone.

import { SHARD_BYTES, rowsOfShard } from './shards';
import type { BlockName, ModelShape, ParameterRow, TensorRole } from './types';

const base = { stored: 'f32', master: null, shards: 1 } as const;

/** `shardBytes`: from where on the vocabulary matrices are cut by rows. */
export function parameterTable(shape: ModelShape, shardBytes: number = SHARD_BYTES): ParameterRow[] {
  const rows = shape.style === 'gpt2' ? gpt2Table(shape) : llamaTable(shape);
  const shards = Math.ceil(shape.vocab / rowsOfShard(shape.width, shardBytes));
  return rows.map((row) => (row.role === 'embedding' || row.role === 'head' ? { ...row, shards } : row));
}

export const parameterCount = (table: readonly ParameterRow[]): number =>
  table.reduce((sum, row) => sum + row.shape.reduce((product, size) => product * size, 1), 0);

function llamaTable(s: ModelShape): ParameterRow[] {
  const q = s.heads * s.headDim;
  const kv = s.kvHeads * s.headDim;
  const rows: ParameterRow[] = [top('embedding', 'embedding', 'model.embed_tokens.weight', [s.vocab, s.width])];
  for (let layer = 0; layer < s.layers; layer++) {
    const add = (role: TensorRole, local: string, size: readonly number[], fused: string | null = null): void => {
      rows.push({ ...base, name: `model.layers.${layer}.${local}`, local, role, layer, block: `layer.${layer}`, shape: size, fused });
    };
    add('matrix', 'self_attn.q_proj.weight', [q, s.width], 'qkv');
    add('matrix', 'self_attn.k_proj.weight', [kv, s.width], 'qkv');
    add('matrix', 'self_attn.v_proj.weight', [kv, s.width], 'qkv');
    add('matrix', 'self_attn.o_proj.weight', [s.width, q]);
    add('matrix', 'mlp.gate_proj.weight', [s.ff, s.width], 'gate_up');
    add('matrix', 'mlp.up_proj.weight', [s.ff, s.width], 'gate_up');
    add('matrix', 'mlp.down_proj.weight', [s.width, s.ff]);
    add('norm', 'input_layernorm.weight', [s.width]);
    add('norm', 'post_attention_layernorm.weight', [s.width]);
    if (s.sandwich) {
      add('norm', 'pre_feedforward_layernorm.weight', [s.width]);
      add('norm', 'post_feedforward_layernorm.weight', [s.width]);
    }
    if (s.qkNorm) {
      add('norm', 'self_attn.q_norm.weight', [s.headDim], 'qk_norm');
      add('norm', 'self_attn.k_norm.weight', [s.headDim], 'qk_norm');
    }
    if (s.qkvBias) {
      add('bias', 'self_attn.q_proj.bias', [q], 'qkv_bias');
      add('bias', 'self_attn.k_proj.bias', [kv], 'qkv_bias');
      add('bias', 'self_attn.v_proj.bias', [kv], 'qkv_bias');
    }
    if (s.attentionOutBias) add('bias', 'self_attn.o_proj.bias', [s.width]);
    if (s.mlpBias) {
      add('bias', 'mlp.gate_proj.bias', [s.ff], 'gate_up_bias');
      add('bias', 'mlp.up_proj.bias', [s.ff], 'gate_up_bias');
      add('bias', 'mlp.down_proj.bias', [s.width]);
    }
  }
  rows.push(top('norm', 'norm', 'model.norm.weight', [s.width]));
  if (!s.tied) rows.push(top('head', 'head', 'lm_head.weight', [s.vocab, s.width]));
  return rows;
}

function gpt2Table(s: ModelShape): ParameterRow[] {
  const rows: ParameterRow[] = [
    top('embedding', 'embedding', 'transformer.wte.weight', [s.vocab, s.width]),
    top('embedding', 'position', 'transformer.wpe.weight', [s.maxPositions, s.width]),
  ];
  for (let layer = 0; layer < s.layers; layer++) {
    const add = (role: TensorRole, local: string, size: readonly number[]): void => {
      rows.push({
        ...base,
        name: `transformer.h.${layer}.${local}`,
        local,
        role,
        layer,
        block: `layer.${layer}`,
        shape: size,
        fused: null,
      });
    };
    // Conv1D: stored [in, out].
    add('matrix', 'attn.c_attn.weight', [s.width, 3 * s.width]);
    add('matrix', 'attn.c_proj.weight', [s.width, s.width]);
    add('matrix', 'mlp.c_fc.weight', [s.width, s.ff]);
    add('matrix', 'mlp.c_proj.weight', [s.ff, s.width]);
    add('norm', 'ln_1.weight', [s.width]);
    add('norm', 'ln_1.bias', [s.width]);
    add('norm', 'ln_2.weight', [s.width]);
    add('norm', 'ln_2.bias', [s.width]);
    add('bias', 'attn.c_attn.bias', [3 * s.width]);
    add('bias', 'attn.c_proj.bias', [s.width]);
    add('bias', 'mlp.c_fc.bias', [s.ff]);
    add('bias', 'mlp.c_proj.bias', [s.width]);
  }
  rows.push(top('norm', 'norm', 'transformer.ln_f.weight', [s.width]), top('norm', 'norm', 'transformer.ln_f.bias', [s.width]));
  if (!s.tied) rows.push(top('head', 'head', 'lm_head.weight', [s.vocab, s.width]));
  return rows;
}

function top(block: BlockName, role: TensorRole, name: string, shape: readonly number[]): ParameterRow {
  return { ...base, name, local: name.replace(/^(model|transformer)\./, ''), role, layer: null, block, shape, fused: null };
}
