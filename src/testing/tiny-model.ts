// For tests: models of a few hundred parameters as files in memory, and what is needed to damage them.

import { parseModelConfig } from '../model/config';
import { parameterTable } from '../model/parameters';
import { elementsOf } from '../model/types';
import type { FileSource } from '../io/sources/file-source';
import { writeSafetensors, type TensorToWrite } from '../io/formats/safetensors';

export const TINY_LLAMA = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  vocab_size: 11,
  hidden_size: 8,
  intermediate_size: 12,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  max_position_embeddings: 32,
  rms_norm_eps: 1e-5,
  hidden_act: 'silu',
  tie_word_embeddings: true,
  torch_dtype: 'float32',
};

export const TINY_GPT2 = {
  architectures: ['GPT2LMHeadModel'],
  model_type: 'gpt2',
  vocab_size: 11,
  n_embd: 8,
  n_layer: 2,
  n_head: 2,
  n_positions: 16,
};

/** With a layer of either kind, as llama.cpp numbers them. */
export const TINY_GEMMA3 = {
  architectures: ['Gemma3ForCausalLM'],
  model_type: 'gemma3_text',
  vocab_size: 260,
  hidden_size: 8,
  intermediate_size: 12,
  num_hidden_layers: 6,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  head_dim: 4,
  max_position_embeddings: 32,
  query_pre_attn_scalar: 4,
  sliding_window: 5,
  torch_dtype: 'float32',
};

export type Files = Map<string, Uint8Array<ArrayBuffer>>;

export const utf8 = (text: string): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(Buffer.byteLength(text));
  new TextEncoder().encodeInto(text, bytes);
  return bytes;
};

export async function collect(chunks: AsyncIterable<Uint8Array<ArrayBuffer>>): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const part of chunks) parts.push(part);
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

/** Different in every element and tensor, exact in bf16. */
export const seededValues = (count: number, salt: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: count }, (_, i) => (((i * 37 + salt * 101) % 255) - 127) / 128);

/** Every tensor that the config asks for, by checkpoint name. */
export function tensorsOf(config: object): Map<string, TensorToWrite> {
  const table = parameterTable(parseModelConfig(config, 'config.json'));
  return new Map(
    table.map((row, i) => [
      row.name,
      { name: row.name, dtype: 'f32', shape: row.shape, data: (start, end) => seededValues(elementsOf(row), i).subarray(start, end) },
    ]),
  );
}

export async function weightFile(tensors: Iterable<TensorToWrite>): Promise<Uint8Array<ArrayBuffer>> {
  return collect(writeSafetensors(tensors, { format: 'pt' }).chunks());
}

/** A safetensors file from a header object, unchecked: for headers that the writer would refuse. */
export function rawFile(header: unknown, data: Uint8Array = new Uint8Array(0)): Uint8Array<ArrayBuffer> {
  const json = utf8(typeof header === 'string' ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + json.byteLength + data.byteLength);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.byteLength), true);
  file.set(json, 8);
  file.set(data, 8 + json.byteLength);
  return file;
}

/** config.json, model.safetensors and a tokenizer. */
export async function modelFolder(config: object, tensors: Iterable<TensorToWrite> = tensorsOf(config).values()): Promise<Files> {
  return new Map([
    ['config.json', utf8(JSON.stringify(config, null, 2))],
    ['model.safetensors', await weightFile(tensors)],
    ['tokenizer.json', utf8('{"version":"1.0"}')],
  ]);
}

export function memorySource(files: Files, name = 'tiny'): FileSource & { readonly reads: string[] } {
  const reads: string[] = [];
  return {
    name,
    reads,
    list: () => Promise.resolve([...files.keys()]),
    size: (path) => Promise.resolve(files.get(path)!.byteLength),
    read(path, start = 0, end) {
      const part = files.get(path)!.slice(start, end);
      reads.push(`${path} ${part.byteLength}`);
      return Promise.resolve(part);
    },
  };
}
