// Shapes of models that are known without a download, from their config.json. Memory bars need only these.

import { BUILTIN_MODEL } from '../config/run-config';
import type { Dtype, ModelShape } from '../model/types';

export interface KnownModel {
  readonly name: string;
  /** Its name on the Hub. */
  readonly repo?: string;
  readonly shape: ModelShape;
  /** The type of its published weights. */
  readonly types: Dtype;
}

/** The model that the page ships. It equals the parsed public/models/wordsmith-2m/config.json; a test compares them. */
export const BUILTIN: KnownModel = {
  name: BUILTIN_MODEL,
  types: 'f16',
  shape: {
    family: 'llama',
    style: 'llama',
    vocab: 2048,
    width: 128,
    layers: 8,
    heads: 4,
    kvHeads: 2,
    headDim: 32,
    ff: 352,
    maxPositions: 512,
    windowed: false,
    norm: 'rms',
    normEps: 1e-5,
    activation: 'swiglu',
    rope: { theta: 1e4, scaling: null },
    tied: true,
    qkNorm: false,
    qkvBias: false,
    attentionOutBias: false,
    mlpBias: false,
  },
};

const GPT2_124M: KnownModel = {
  name: 'GPT-2 124M',
  types: 'f32',
  repo: 'openai-community/gpt2',
  shape: {
    family: 'gpt2',
    style: 'gpt2',
    vocab: 50257,
    width: 768,
    layers: 12,
    heads: 12,
    kvHeads: 12,
    headDim: 64,
    ff: 3072,
    maxPositions: 1024,
    windowed: false,
    norm: 'layer',
    normEps: 1e-5,
    activation: 'gelu_tanh',
    rope: null,
    tied: true,
    qkNorm: false,
    qkvBias: true,
    attentionOutBias: true,
    mlpBias: true,
  },
};

const SMOLLM2_135M: KnownModel = {
  name: 'SmolLM2-135M',
  types: 'bf16',
  repo: 'HuggingFaceTB/SmolLM2-135M',
  shape: {
    family: 'llama',
    style: 'llama',
    vocab: 49152,
    width: 576,
    layers: 30,
    heads: 9,
    kvHeads: 3,
    headDim: 64,
    ff: 1536,
    maxPositions: 8192,
    windowed: false,
    norm: 'rms',
    normEps: 1e-5,
    activation: 'swiglu',
    rope: { theta: 1e5, scaling: null },
    tied: true,
    qkNorm: false,
    qkvBias: false,
    attentionOutBias: false,
    mlpBias: false,
  },
};

const QWEN25_05B: KnownModel = {
  name: 'Qwen2.5-0.5B',
  types: 'bf16',
  repo: 'Qwen/Qwen2.5-0.5B',
  shape: {
    family: 'qwen2',
    style: 'llama',
    vocab: 151936,
    width: 896,
    layers: 24,
    heads: 14,
    kvHeads: 2,
    headDim: 64,
    ff: 4864,
    maxPositions: 32768,
    windowed: false,
    norm: 'rms',
    normEps: 1e-6,
    activation: 'swiglu',
    rope: { theta: 1e6, scaling: null },
    tied: true,
    qkNorm: false,
    qkvBias: true,
    attentionOutBias: false,
    mlpBias: false,
  },
};

/** Shown beside a small model, because larger models save more. */
export const LARGER_MODELS: readonly KnownModel[] = [GPT2_124M, SMOLLM2_135M, QWEN25_05B];
