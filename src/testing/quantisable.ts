// A small Llama whose matrices can lie in 8 and 4 bits: their rows are whole groups of 32.

import { writeSafetensors } from '../io/formats/safetensors';
import { parseModelConfig } from '../model/config';
import { parameterTable } from '../model/parameters';
import { tinyTensor } from './tiny';
import { writeTinyModel } from './tiny-folder';
import { collect } from './tiny-model';

export const QUANTISABLE = {
  model_type: 'llama',
  vocab_size: 302,
  hidden_size: 32,
  intermediate_size: 64,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 40,
  tie_word_embeddings: true,
};

/** Writes it as a folder with a tokenizer. Returns the folder. */
export async function writeQuantisable(path: string): Promise<string> {
  const tensors = parameterTable(parseModelConfig(QUANTISABLE, 'test')).map((row) => ({
    name: row.name,
    dtype: 'f32' as const,
    shape: [...row.shape],
    data: (start: number, end: number) => tinyTensor(row).slice(start, end),
  }));
  return writeTinyModel(path, 'tiny-llama', {
    'config.json': JSON.stringify({ ...QUANTISABLE, architectures: ['LlamaForCausalLM'] }),
    'model.safetensors': await collect(writeSafetensors(tensors, { format: 'pt' }).chunks()),
  });
}
