// The models that are judged: tiny random ones of every architecture (the fixtures of the unit tests), the built-in
// one, and the story model if it is available.

import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { openModel, type ModelFiles } from '../../src/io/sources/model-files';
import { nodeSource } from '../../src/io/node/source';
import { memorySource, modelFolder, utf8 } from '../../src/testing/tiny-model';
import { parseModelConfig } from '../../src/model/config';
import { parameterTable } from '../../src/model/parameters';
import { randomStream } from '../../src/base/random';
import { FIXTURES } from '../../src/testing/fixtures';
import { tinyTensor } from '../../src/testing/tiny';
import { TINY_TOKENIZER_CONFIG, tinyTokenizerJson, writeTinyModel } from '../../src/testing/tiny-folder';
import { encodePrompts, openTokenizer } from '../../src/train/prepare';
import { TEXTS } from './tokenizers';

export interface JudgedModel {
  readonly name: string;
  readonly files: ModelFiles;
  /** The text as ids: tiny models have no language and get as many random ids as they can take. */
  readonly ids: readonly number[];
  /** The text as a person writes it: special tokens that stand before every text are not in it. '' for a model without a language. */
  readonly prompt: string;
  /** Number of tokens to continue with. */
  readonly more: number;
  /** Texts to cut; none for a model without a language. */
  readonly texts: readonly string[];
}

const MORE = 12;

/** Models whose rows are multiples of 32, as q8_0 needs them; the rows of the fixtures are not. */
const WIDE = {
  'wide-gpt2': { model_type: 'gpt2', vocab_size: 301, n_embd: 64, n_layer: 2, n_head: 2, n_positions: 64 },
  'wide-qwen2': wide('qwen2', 16),
  'wide-qwen3': wide('qwen3', 32),
  'wide-smollm3': { ...wide('smollm3', 16), num_hidden_layers: 5 },
  'wide-granite': {
    ...wide('granite', 16),
    embedding_multiplier: 3,
    residual_multiplier: 0.4,
    attention_multiplier: 0.2,
    logits_scaling: 2,
  },
  'wide-gemma3': { ...wide('gemma3_text', 32), num_hidden_layers: 7, query_pre_attn_scalar: 32, sliding_window: 16 },
};

function wide(model_type: string, head_dim: number): object {
  const sizes = { vocab_size: 301, hidden_size: 64, intermediate_size: 96, num_hidden_layers: 2, max_position_embeddings: 64 };
  return { model_type, ...sizes, head_dim, num_attention_heads: 4, num_key_value_heads: 2, rms_norm_eps: 1e-6, tie_word_embeddings: true };
}

async function wideModel(name: keyof typeof WIDE): Promise<ModelFiles> {
  const config = WIDE[name];
  const shape = parseModelConfig(config, name);
  const table = parameterTable(shape);
  // The matrices of the unit tests' tiny models, made smaller as they are four times as wide.
  const tensors = table.map((row) => ({
    name: row.name,
    dtype: 'f32' as const,
    shape: row.shape,
    data: () =>
      tinyTensor(row).map((value) => (row.role === 'matrix' ? value / 2 : row.role === 'norm' ? value - shape.normOffset : value)),
  }));
  const folder = await modelFolder(config, tensors);
  folder.set('tokenizer.json', utf8(tinyTokenizerJson()));
  folder.set('tokenizer_config.json', utf8(TINY_TOKENIZER_CONFIG));
  return openModel(memorySource(folder, name));
}
export async function judgedModels(root: string, scratch: string): Promise<JudgedModel[]> {
  const models: JudgedModel[] = [];
  const tiny = new Map<string, ModelFiles>();
  // The fixtures of Gemma and SmolLM3 have windows and layers without positions where llama.cpp has none: exporting them is refused.
  for (const name of FIXTURES.filter((each) => each !== 'tiny-gemma3' && each !== 'tiny-smollm3'))
    tiny.set(name, await openModel(await nodeSource(writeTinyModel(path.join(scratch, name), name))));
  for (const name of Object.keys(WIDE) as (keyof typeof WIDE)[]) tiny.set(name, await wideModel(name));
  for (const [name, files] of tiny) {
    const random = randomStream(7, 'judge', name);
    const length = Math.min(files.shape.maxPositions, 60) - MORE;
    const ids = Array.from({ length }, () => random.nextBelow(files.shape.vocab));
    models.push({ name, files, ids, prompt: '', more: MORE, texts: [] });
  }
  const builtin = path.join(root, 'public/models/wordsmith-2m');
  const prompt = '<|im_start|>user\nDefine: FRIEND<|im_end|>\n<|im_start|>assistant\n';
  models.push(await spoken('wordsmith-2m', builtin, prompt, [...TEXTS, prompt]));
  const stories = path.join(process.env.LISA_REAL_DIR ?? path.join(root, '../shared/real'), 'stories260k');
  if (existsSync(stories)) models.push(await spoken('stories260k', stories, TEXTS[0], TEXTS));
  else console.log(`stories260k is not in ${stories} and is left out (LISA_REAL_DIR names the folder above it).`);
  return models;
}

async function spoken(name: string, folder: string, text: string, texts: readonly string[]): Promise<JudgedModel> {
  const files = await openModel(await nodeSource(folder));
  return { name, files, ids: encodePrompts([text], await openTokenizer(files))[0], prompt: text, more: 40, texts };
}

/** Ids of a text by our tokenizer, nothing put before it. */
export const encoderOf = async (files: ModelFiles): Promise<(text: string) => number[]> => {
  const tokenizer = await openTokenizer(files);
  return (text) => tokenizer.encode(text);
};
