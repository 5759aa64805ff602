// The tuned model, or a LoRA adapter, as one GGUF file. Matrices take the type that was asked for; norms, biases and
// position embeddings stay f32, and q8_0 becomes f16 where rows are no multiple of 32.

import { AppError } from '../errors';
import type { ModelShape, ParameterRow } from '../model/types';
import type { ReadTensor } from './export';
import { Q8_BLOCK, writeGguf, type GgufFile, type GgufTensor, type GgufType, type GgufValue } from './gguf';
import { architectureKeys, ggufName, ggufPart, pairRows, permutedHeads, transposed, type GgufArchitecture } from './gguf-tensors';
import { tokenizerKeys, type GgufSpecials } from './gguf-tokenizer';
import type { ModelFiles } from './model-files';

/** llama.cpp's number for "mostly this type". */
const FILE_TYPES: Readonly<Record<GgufType, number>> = { f32: 0, f16: 1, q8_0: 7 };

export interface GgufOptions {
  readonly files: ModelFiles;
  readonly tensor: ReadTensor;
  readonly type: GgufType;
  readonly specials: GgufSpecials;
}

/** llama.cpp's name of the architecture, from config.json's model_type. Throws MODEL_UNSUPPORTED. */
export function ggufArchitecture(files: Pick<ModelFiles, 'configText' | 'shape' | 'name'>): GgufArchitecture {
  const { model_type: type } = JSON.parse(files.configText) as { readonly model_type?: string };
  if (type === 'gpt2') return 'gpt2';
  if (type === 'llama' || type === 'mistral') return 'llama';
  if (type === 'qwen2' || type === 'qwen3') return type;
  throw new AppError('MODEL_UNSUPPORTED', `There is no GGUF export for models of type ${String(type)}.`, 'Export as safetensors.');
}

const isMatrix = (row: ParameterRow): boolean => row.shape.length === 2 && row.role !== 'position';

function typeOf(row: ParameterRow, type: GgufType, columns: number): GgufType {
  if (!isMatrix(row)) return 'f32';
  return type === 'q8_0' && columns % Q8_BLOCK !== 0 ? 'f16' : type;
}

/** Throws MODEL_UNSUPPORTED or TOKENIZER before anything is written. */
export async function exportGguf({ files, tensor, type, specials }: GgufOptions): Promise<GgufFile> {
  const { shape } = files;
  const architecture = ggufArchitecture(files);
  if (shape.rope?.scaling)
    throw new AppError('MODEL_UNSUPPORTED', 'Scaled rotary positions are not written to GGUF yet.', 'Export as safetensors.');
  const tokenizerJson = await files.text('tokenizer.json');
  if (tokenizerJson === null) throw new AppError('TOKENIZER', `${files.name} has no tokenizer.json.`, 'Export as safetensors.');
  const metadata = new Map<string, GgufValue>([
    ['general.architecture', { type: 'string', value: architecture }],
    ['general.name', { type: 'string', value: files.name }],
    ['general.type', { type: 'string', value: 'model' }],
    ['general.file_type', { type: 'u32', value: FILE_TYPES[type] }],
    ['general.quantization_version', { type: 'u32', value: 2 }],
    ...architectureKeys(shape, architecture),
    ...tokenizerKeys(tokenizerJson, shape.vocab, specials),
  ]);
  return writeGguf(
    metadata,
    files.table.map((row) => modelTensor(row, shape, architecture, type, tensor)),
  );
}

function modelTensor(row: ParameterRow, shape: ModelShape, architecture: GgufArchitecture, type: GgufType, tensor: ReadTensor): GgufTensor {
  const name = ggufName(row);
  if (name === undefined) throw new AppError('MODEL_UNSUPPORTED', `GGUF has no place for ${row.name}.`, 'Export as safetensors.');
  // Conv1D stores [in, out].
  const turn = architecture === 'gpt2' && row.layer !== null && row.shape.length === 2;
  const sizes = turn ? [...row.shape].reverse() : row.shape;
  const heads = permutedHeads(row, shape, architecture);
  return {
    name,
    shape: sizes,
    type: typeOf(row, type, sizes.at(-1) ?? 1),
    async data() {
      const data = await tensor(row);
      if (turn) return transposed(data, row.shape[0], row.shape[1]);
      return heads === null ? data : pairRows(data, heads, row.shape[1] ?? 1);
    },
  };
}

export interface GgufAdapterSite {
  readonly layer: number;
  /** 'self_attn.q_proj' */
  readonly part: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly a: () => Promise<Float32Array>;
  readonly b: () => Promise<Float32Array>;
}

/** The adapter that llama.cpp loads beside the base model's GGUF: A [r, in] and B [out, r] of every site, f32. */
export function exportGgufAdapter(
  files: Pick<ModelFiles, 'configText' | 'shape' | 'name'>,
  sites: readonly GgufAdapterSite[],
  rank: number,
  alpha: number,
): GgufFile {
  const architecture = ggufArchitecture(files);
  const metadata = new Map<string, GgufValue>([
    ['general.architecture', { type: 'string', value: architecture }],
    ['general.type', { type: 'string', value: 'adapter' }],
    ['general.name', { type: 'string', value: files.name }],
    ['adapter.type', { type: 'string', value: 'lora' }],
    ['adapter.lora.alpha', { type: 'f32', value: alpha }],
  ]);
  const tensors = sites.flatMap(({ layer, part, inputs, outputs, a, b }): GgufTensor[] => {
    const name = ggufPart(part);
    if (name === undefined) throw new AppError('MODEL_UNSUPPORTED', `GGUF has no place for an adapter of ${part}.`, '');
    // Rows of B are rows of the weight: they are permuted with it.
    const heads = permutedHeads({ local: `${part}.weight` }, files.shape, architecture);
    return [
      { name: `blk.${layer}.${name}.weight.lora_a`, shape: [rank, inputs], type: 'f32', data: a },
      {
        name: `blk.${layer}.${name}.weight.lora_b`,
        shape: [outputs, rank],
        type: 'f32',
        data: async () => (heads === null ? b() : pairRows(await b(), heads, rank)),
      },
    ];
  });
  return writeGguf(metadata, tensors);
}
