// The tuned model, or a LoRA adapter, as one GGUF file. Matrices get the requested type; norms, biases and position embeddings
// stay f32, and q8_0 becomes f16 if rows are not multiples of 32.

import { elementsOf, type ModelShape, type ParameterRow } from '../../model/types';
import { checkStorable, type ReadTensor } from '../folder';
import { Q8_BLOCK, writeGguf, type GgufFile, type GgufTensor, type GgufType, type GgufValue } from '../../io/formats/gguf';
import { ggufArchitecture, refuseModel, type GgufArchitecture } from './support';
import { architectureKeys, ggufName, ggufPart, pairRows, permutedHeads, ropeFactors, transposed } from './tensors';
import { tokenizerKeys, type GgufSpecials } from './tokenizer';
import type { ModelFiles, ModelTexts } from '../../io/sources/model-files';
import { tokenizerText } from '../../io/sources/tokenizer-text';
import { piecesOf } from '../../io/formats/pieces';

/** llama.cpp's number for "mostly this type". */
const FILE_TYPES: Readonly<Record<GgufType, number>> = { f32: 0, f16: 1, q8_0: 7 };

export interface GgufOptions {
  readonly files: Pick<ModelFiles, 'table'> & ModelTexts;
  readonly tensor: ReadTensor;
  readonly type: GgufType;
  readonly specials: GgufSpecials;
}

/** Everything in the file that is known without the weights. Throws MODEL_UNSUPPORTED or TOKENIZER if GGUF cannot carry the model. */
export async function ggufKeys(files: ModelTexts, specials: GgufSpecials): Promise<Map<string, GgufValue>> {
  const { shape } = files;
  const architecture = ggufArchitecture(shape);
  const tokenizerJson = await tokenizerText(files);
  return new Map<string, GgufValue>([
    ['general.architecture', { type: 'string', value: architecture }],
    ['general.name', { type: 'string', value: files.name }],
    ['general.type', { type: 'string', value: 'model' }],
    ...architectureKeys(shape, architecture),
    ...tokenizerKeys(tokenizerJson, shape.vocab, specials),
  ]);
}

/** Throws as ggufKeys before anything is written; reading its chunks throws NONFINITE_WEIGHTS for a weight that the type cannot hold. */
export async function exportGguf({ files, tensor, type, specials }: GgufOptions): Promise<GgufFile> {
  const { shape, table } = files;
  const metadata = await ggufKeys(files, specials);
  metadata.set('general.file_type', { type: 'u32', value: FILE_TYPES[type] });
  metadata.set('general.quantization_version', { type: 'u32', value: 2 });
  const architecture = ggufArchitecture(shape);
  const factors = ropeFactors(shape.rope, shape.headDim);
  return writeGguf(metadata, [...(factors ? [factors] : []), ...table.map((row) => modelTensor(row, shape, architecture, type, tensor))]);
}

const isMatrix = (row: ParameterRow): boolean => row.shape.length === 2 && row.role !== 'position';

function typeOf(row: ParameterRow, type: GgufType, columns: number): GgufType {
  if (!isMatrix(row)) return 'f32';
  return type === 'q8_0' && columns % Q8_BLOCK !== 0 ? 'f16' : type;
}

function modelTensor(row: ParameterRow, shape: ModelShape, architecture: GgufArchitecture, type: GgufType, tensor: ReadTensor): GgufTensor {
  const name = ggufName(row, shape);
  if (name === undefined) throw refuseModel(`it has no place for ${row.name}`);
  // Conv1D stores [in, out].
  const turn = architecture === 'gpt2' && row.layer !== null && row.shape.length === 2;
  const sizes = turn ? [...row.shape].reverse() : row.shape;
  const heads = permutedHeads(row, shape, architecture);
  const stored = typeOf(row, type, sizes.at(-1) ?? 1);
  return {
    name,
    shape: sizes,
    type: stored,
    async *pieces() {
      // If rows change places, the tensor is read as a whole: a projection of one layer, never the vocabulary.
      const whole = turn || heads !== null;
      const elements = elementsOf(row);
      for (const [start, end] of whole ? [[0, elements] as const] : piecesOf(elements)) {
        const data = await tensor(row, start, end);
        // The largest q8_0 value is the largest f16, times 127.
        checkStorable(data, start, stored === 'f16' ? 'f16' : 'f32', row.name);
        // llama.cpp's weights of norms are the factors themselves.
        if (row.role === 'norm' && shape.normOffset !== 0) yield data.map((weight) => weight + shape.normOffset);
        else if (turn) yield transposed(data, row.shape[0], row.shape[1]);
        else yield heads === null ? data : pairRows(data, heads, row.shape[1] ?? 1);
      }
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
  files: Pick<ModelFiles, 'shape' | 'name'>,
  sites: readonly GgufAdapterSite[],
  rank: number,
  alpha: number,
): GgufFile {
  const architecture = ggufArchitecture(files.shape);
  const metadata = new Map<string, GgufValue>([
    ['general.architecture', { type: 'string', value: architecture }],
    ['general.type', { type: 'string', value: 'adapter' }],
    ['general.name', { type: 'string', value: files.name }],
    ['adapter.type', { type: 'string', value: 'lora' }],
    ['adapter.lora.alpha', { type: 'f32', value: alpha }],
  ]);
  const tensors = sites.flatMap(({ layer, part, inputs, outputs, a, b }): GgufTensor[] => {
    const name = ggufPart(part);
    if (name === undefined) throw refuseModel(`it has no place for an adapter of ${part}`);
    // Rows of B are rows of the weight: they are permuted with it.
    const heads = permutedHeads({ local: `${part}.weight` }, files.shape, architecture);
    return [
      { name: `blk.${layer}.${name}.weight.lora_a`, shape: [rank, inputs], type: 'f32', pieces: () => once(a()) },
      {
        name: `blk.${layer}.${name}.weight.lora_b`,
        shape: [outputs, rank],
        type: 'f32',
        pieces: () => once(b().then((data) => (heads === null ? data : pairRows(data, heads, rank)))),
      },
    ];
  });
  return writeGguf(metadata, tensors);
}

async function* once(data: Promise<Float32Array>): AsyncGenerator<Float32Array> {
  yield await data;
}
