// Models whose shapes are known without a download, from their published config.json. Memory bars need only these.

import { BUILTIN_MODEL } from '../config/run-config';
import { parseModelConfig } from '../model/config';
import { PUBLIC_CONFIGS, PUBLIC_TYPES, type PublicModel } from '../model/public-configs';
import type { Dtype, ModelShape } from '../model/types';

export interface KnownModel {
  readonly name: string;
  /** Its name on the Hub. */
  readonly repo?: string;
  readonly shape: ModelShape;
  /** The type of its published weights. */
  readonly types: Dtype;
}

const known = (id: PublicModel, name: string, repo?: string): KnownModel => ({
  name,
  repo,
  shape: parseModelConfig(PUBLIC_CONFIGS[id], id),
  types: PUBLIC_TYPES[id],
});

/** The model that the page ships. */
export const BUILTIN: KnownModel = known(BUILTIN_MODEL, BUILTIN_MODEL);

/** Of its file; a test compares them with it. */
export const BUILTIN_FACTS = { parameters: 1_738_880, dtypes: { f32: 0, f16: 1_738_880, bf16: 0 }, bytes: 3_485_616 } as const;

/** Shown beside a small model, because larger models save more. */
export const LARGER_MODELS: readonly KnownModel[] = [
  known('gpt2-124m', 'GPT-2 124M', 'openai-community/gpt2'),
  known('smollm2-135m', 'SmolLM2-135M', 'HuggingFaceTB/SmolLM2-135M'),
  known('qwen2.5-0.5b', 'Qwen2.5-0.5B', 'Qwen/Qwen2.5-0.5B'),
];

/** All, the smallest first. */
export const KNOWN_MODELS: readonly KnownModel[] = [
  ...LARGER_MODELS.slice(0, 2),
  known('gemma-3-270m', 'Gemma-3-270M', 'google/gemma-3-270m'),
  known('smollm2-360m', 'SmolLM2-360M', 'HuggingFaceTB/SmolLM2-360M'),
  ...LARGER_MODELS.slice(2),
  known('qwen3-0.6b', 'Qwen3-0.6B', 'Qwen/Qwen3-0.6B'),
  known('tinyllama-1.1b', 'TinyLlama-1.1B', 'TinyLlama/TinyLlama-1.1B-Chat-v1.0'),
  known('llama-3.2-1b', 'Llama-3.2-1B', 'meta-llama/Llama-3.2-1B'),
];
