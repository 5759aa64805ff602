// Which models and tokenizers llama.cpp treats as we do. Its code for an architecture is fixed. What that code cannot
// represent, or computes differently, is refused by name; otherwise the file would load and answer nonsense.

import { AppError } from '../../base/errors';
import type { ModelShape, FamilyName } from '../../model/types';

export type GgufArchitecture = 'llama' | 'gpt2' | 'qwen2' | 'qwen3' | 'gemma3' | 'smollm3' | 'granite';

/** Mistral without a sliding window is llama.cpp's llama. */
const ARCHITECTURES: Readonly<Record<FamilyName, GgufArchitecture>> = {
  gpt2: 'gpt2',
  llama: 'llama',
  mistral: 'llama',
  qwen2: 'qwen2',
  qwen3: 'qwen3',
  gemma3_text: 'gemma3',
  smollm3: 'smollm3',
  granite: 'granite',
};

export const refuseModel = (why: string): AppError =>
  new AppError('MODEL_UNSUPPORTED', `GGUF cannot carry this model: ${why}.`, 'Export the model as safetensors instead.');

export const refuseTokenizer = (why: string): AppError =>
  new AppError(
    'TOKENIZER',
    `GGUF cannot carry this tokenizer: ${why}.`,
    'Export the model as safetensors instead; llama.cpp would cut text differently.',
  );

/** llama.cpp's name of the architecture. Throws MODEL_UNSUPPORTED if it would not compute what we do. */
export function ggufArchitecture(shape: ModelShape): GgufArchitecture {
  const architecture = ARCHITECTURES[shape.family];
  if (shape.style === 'gpt2' && shape.activation !== 'gelu_tanh')
    throw refuseModel("llama.cpp's GPT-2 supports only the tanh form of GELU, and this model has the exact form");
  if (architecture === 'qwen2' && shape.heads * shape.headDim !== shape.width)
    throw refuseModel("llama.cpp's Qwen2 supports only heads of hidden_size / num_attention_heads");
  if (architecture === 'qwen3' && (shape.qkvBias || shape.attentionOutBias))
    throw refuseModel("llama.cpp's Qwen3 does not support attention biases");
  if (shape.rope?.scaling?.type === 'yarn') throw refuseModel('its yarn rope scaling has not been compared with that of llama.cpp');
  const fourth = Array.from({ length: shape.layers }, (_, layer) => layer).filter((layer) => layer % 4 === 3);
  if (architecture === 'smollm3' && shape.ropeless.join() !== fourth.join())
    throw refuseModel("llama.cpp's SmolLM3 has no positions in every fourth layer, and this model in others");
  if (shape.rope?.scaling?.type === 'llama3' && architecture !== 'llama')
    throw refuseModel(`llama.cpp's ${architecture} does not support llama3 rope scaling`);
  if (architecture === 'gemma3') refuseGemma(shape);
  return architecture;
}

/** What llama.cpp's Gemma 3 has fixed in its code. */
function refuseGemma({ layers, headDim, window, attentionScale, qkvBias, logitCap }: ModelShape): void {
  const local = Array.from({ length: layers }, (_, layer) => layer).filter((layer) => layer % 6 !== 5);
  if (window === null || window.layers.join() !== local.join())
    throw refuseModel("llama.cpp's Gemma 3 has a window in every layer but each sixth, and this model in others");
  if (window.rope?.theta !== 10_000 || window.rope.scaling !== null)
    throw refuseModel("llama.cpp's Gemma 3 has a RoPE base of 10,000 in layers with a window, and this model another");
  if (attentionScale !== 1 / Math.sqrt(headDim))
    throw refuseModel("llama.cpp's Gemma 3 divides scores by the root of the head dim, and this model by another (query_pre_attn_scalar)");
  if (qkvBias) throw refuseModel("llama.cpp's Gemma 3 does not support attention biases");
  if (logitCap !== null) throw refuseModel("older versions of llama.cpp's Gemma 3 would leave out its cap of logits");
}

export type Json = { readonly [key: string]: unknown };
export const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Steps that tokenizer.json may nest in sequences, as one list. */
export const stepsOf = (step: unknown, list: 'normalizers' | 'pretokenizers'): Json[] =>
  !isObject(step) ? [] : step.type === 'Sequence' ? ((step[list] ?? []) as unknown[]).flatMap((inner) => stepsOf(inner, list)) : [step];
