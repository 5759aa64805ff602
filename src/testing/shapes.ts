// Model shapes for plan tests: odd sizes that no tile divides, the built-in model, and real ones.

import { parseModelConfig } from '../model/config';
import { PUBLIC_CONFIGS } from '../model/public-configs';
import type { ModelShape } from '../model/types';

const llama = {
  model_type: 'llama',
  vocab_size: 257,
  hidden_size: 36,
  intermediate_size: 50,
  num_hidden_layers: 4,
  num_attention_heads: 3,
  num_key_value_heads: 1,
  head_dim: 10,
  max_position_embeddings: 71,
  tie_word_embeddings: true,
};

const gpt2 = { model_type: 'gpt2', vocab_size: 301, n_embd: 39, n_layer: 3, n_head: 3, n_inner: 107, n_positions: 67 };

const CONFIGS = {
  'odd GPT-2': gpt2,
  'odd GPT-2, untied': { ...gpt2, tie_word_embeddings: false, activation_function: 'gelu' },
  'odd Llama, tied': llama,
  'odd Llama, untied': { ...llama, tie_word_embeddings: false },
  'odd Llama, biases': { ...llama, attention_bias: true, mlp_bias: true },
  'odd Qwen2': { ...llama, model_type: 'qwen2', use_sliding_window: false },
  'odd Qwen3': { ...llama, model_type: 'qwen3', num_key_value_heads: 3 },
  'odd Gemma 3': {
    model_type: 'gemma3_text',
    vocab_size: 257,
    hidden_size: 36,
    intermediate_size: 50,
    num_hidden_layers: 4,
    num_attention_heads: 3,
    num_key_value_heads: 1,
    head_dim: 10,
    max_position_embeddings: 71,
    sliding_window: 9,
    sliding_window_pattern: 3,
    final_logit_softcapping: 30,
  },
  'wordsmith-2m': PUBLIC_CONFIGS['wordsmith-2m'],
  'SmolLM2-135M': PUBLIC_CONFIGS['smollm2-135m'],
  'GPT-2 124M': PUBLIC_CONFIGS['gpt2-124m'],
  'Qwen2.5-0.5B': PUBLIC_CONFIGS['qwen2.5-0.5b'],
  'Gemma-3-270M': PUBLIC_CONFIGS['gemma-3-270m'],
} as const;

export type ShapeName = keyof typeof CONFIGS;

export const SHAPES = Object.fromEntries(Object.entries(CONFIGS).map(([name, config]) => [name, parseModelConfig(config, name)])) as Record<
  ShapeName,
  ModelShape
>;

export const SHAPE_NAMES = Object.keys(CONFIGS) as ShapeName[];

/** Small enough to build every segment of every draw. */
export const ODD_NAMES = SHAPE_NAMES.filter((name) => name.startsWith('odd'));
