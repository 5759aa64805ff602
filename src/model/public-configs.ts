// The fields of public models' config.json that decide shapes and maths, for forecasts, benchmarks and tests that need a real
// shape but no weights. The values are the publishers'; for missing fields they are the defaults of transformers.

const llama = { hidden_act: 'silu', tie_word_embeddings: true } as const;

export const PUBLIC_CONFIGS = {
  'gpt2-124m': {
    model_type: 'gpt2',
    vocab_size: 50257,
    n_embd: 768,
    n_layer: 12,
    n_head: 12,
    n_inner: null,
    n_positions: 1024,
    layer_norm_epsilon: 1e-5,
    tie_word_embeddings: true,
  },
  'smollm2-135m': {
    ...llama,
    model_type: 'llama',
    vocab_size: 49152,
    hidden_size: 576,
    intermediate_size: 1536,
    num_hidden_layers: 30,
    num_attention_heads: 9,
    num_key_value_heads: 3,
    max_position_embeddings: 8192,
    rope_theta: 100000,
    rms_norm_eps: 1e-5,
  },
  'qwen2.5-0.5b': {
    ...llama,
    model_type: 'qwen2',
    vocab_size: 151936,
    hidden_size: 896,
    intermediate_size: 4864,
    num_hidden_layers: 24,
    num_attention_heads: 14,
    num_key_value_heads: 2,
    max_position_embeddings: 32768,
    rope_theta: 1000000,
    rms_norm_eps: 1e-6,
    use_sliding_window: false,
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, unknown>>>>;
