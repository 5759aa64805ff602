// A GGUF file as a folder in Hugging Face layout: config.json and the tokenizer's files from its metadata, and its tensors as
// model.safetensors, turned back and widened while they are read. So whatever reads models reads these. Q8_0 becomes f32, which holds every
// value of it exactly.

import { AppError } from '../../base/errors';
import { f16ToF32 } from '../../base/half';
import { Q8, readGgufHead, type GgufEntry, type GgufHead } from '../formats/gguf-read';
import { missingFile, type FileSource } from './file-source';
import { ggufConfig, ggufFamily, GgufKeys, refuseGguf } from './gguf-config';
import { ggufTokenizer } from './gguf-tokenizer';

type Bytes = Uint8Array<ArrayBuffer>;

const WEIGHTS = 'model.safetensors';
const ENDING = '.gguf';

const PARTS: Readonly<Record<string, string>> = {
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
  attn_q_norm: 'self_attn.q_norm',
  attn_k_norm: 'self_attn.k_norm',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
  attn_norm: 'input_layernorm',
  ffn_norm: 'post_attention_layernorm',
};
const TOP: Readonly<Record<string, string>> = {
  'token_embd.weight': 'model.embed_tokens.weight',
  'output_norm.weight': 'model.norm.weight',
  'output.weight': 'lm_head.weight',
};
const ROPE_FACTORS = 'rope_freqs.weight';

/** The source itself, or what the one GGUF file in it holds if there is no config.json. Throws what reading it throws. */
export async function orGguf(source: FileSource): Promise<FileSource> {
  const paths = await source.list();
  const found = paths.filter((path) => path.toLowerCase().endsWith(ENDING));
  if (found.length === 0 || paths.includes('config.json')) return source;
  if (found.length > 1)
    throw new AppError(
      'MODEL_FILE',
      `${source.name} holds ${found.length} GGUF files (${found.slice(0, 4).join(', ')}).`,
      'Choose one of them.',
    );
  return ggufSource(found[0], await source.size(found[0]), (start, end) => source.read(found[0], start, end));
}

/** Throws MODEL_FILE, MODEL_CONFIG, MODEL_UNSUPPORTED or TOKENIZER. */
export async function ggufSource(name: string, size: number, read: (start: number, end: number) => Promise<Bytes>): Promise<FileSource> {
  const head = await readGgufHead(name, size, read);
  const keys = new GgufKeys(name, head.metadata);
  const ropeFactors = await factorsOf(name, head, read);
  const config = ggufConfig(keys, head, ropeFactors);
  const utf8 = new TextEncoder();
  const texts = new Map(
    Object.entries({ 'config.json': JSON.stringify(config, null, 2), ...ggufTokenizer(keys) }).map(([path, text]) => [
      path,
      utf8.encode(text),
    ]),
  );
  const heads = { q: Number(config.num_attention_heads), k: Number(config.num_key_value_heads) };
  const weights = virtualSafetensors(tensorsOf(name, head, ggufFamily(keys) === 'llama' ? heads : null), read);
  const sizeOf = (path: string): number => {
    const bytes = path === WEIGHTS ? weights.size : texts.get(path)?.byteLength;
    if (bytes === undefined) throw missingFile(name, path);
    return bytes;
  };
  return {
    name: name.slice(0, -ENDING.length) || name,
    list: () => Promise.resolve([...texts.keys(), WEIGHTS].sort()),
    size: (path) => Promise.resolve().then(() => sizeOf(path)),
    async read(path, start = 0, end = sizeOf(path)) {
      if (start > end || end > sizeOf(path)) throw missingFile(name, `${path} bytes ${start}-${end}`);
      return path === WEIGHTS ? weights.read(start, end) : texts.get(path)!.slice(start, end);
    },
  };
}

async function factorsOf(
  name: string,
  { tensors }: GgufHead,
  read: (start: number, end: number) => Promise<Bytes>,
): Promise<Float32Array | null> {
  const entry = tensors.get(ROPE_FACTORS);
  if (!entry) return null;
  if (entry.type !== 'f32' || entry.end - entry.start > 2 ** 16) throw refuseGguf(name, `${ROPE_FACTORS} is not a short list of numbers`);
  return new Float32Array((await read(entry.start, entry.end)).slice().buffer);
}

interface Stored {
  readonly name: string;
  readonly entry: GgufEntry;
  /** Heads whose rows are paired in the file; null where rows are in order. */
  readonly heads: number | null;
}

/** The tensors by their Hugging Face names. `paired`: heads of q and k, whose rows llama.cpp's llama pairs. */
function tensorsOf(name: string, { tensors }: GgufHead, paired: { readonly q: number; readonly k: number } | null): Stored[] {
  return [...tensors.values()]
    .filter((entry) => entry.name !== ROPE_FACTORS)
    .map((entry) => {
      const [, layer, part, kind] = /^blk\.(\d+)\.(\w+)\.(weight|bias)$/.exec(entry.name) ?? [];
      const local = part === undefined ? undefined : PARTS[part];
      const hf = TOP[entry.name] ?? (local === undefined ? undefined : `model.layers.${Number(layer)}.${local}.${kind}`);
      if (hf === undefined) throw refuseGguf(name, `it has the unknown tensor ${entry.name}`);
      const heads = part === 'attn_q' ? paired?.q : part === 'attn_k' ? paired?.k : undefined;
      if (heads !== undefined && !(heads > 0 && entry.shape[0] % (2 * heads) === 0))
        throw refuseGguf(name, `rows of ${entry.name} are no whole heads`);
      return { name: hf, entry, heads: heads ?? null };
    });
}

const DTYPES = { f32: ['F32', 4], f16: ['F16', 2], bf16: ['BF16', 2], q8_0: ['F32', 4] } as const;

function virtualSafetensors(
  tensors: readonly Stored[],
  read: (start: number, end: number) => Promise<Bytes>,
): { readonly size: number; read(start: number, end: number): Promise<Bytes> } {
  let at = 0;
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  const placed = tensors.map((tensor) => {
    const [dtype, width] = DTYPES[tensor.entry.type];
    const bytes = tensor.entry.shape.reduce((product, size) => product * size, width);
    header[tensor.name] = { dtype, shape: tensor.entry.shape, data_offsets: [at, at + bytes] };
    at += bytes;
    return { tensor, begin: at - bytes, end: at };
  });
  const json = new TextEncoder().encode(JSON.stringify(header));
  const length = Math.ceil(json.byteLength / 8) * 8;
  const front = new Uint8Array(8 + length).fill(0x20);
  new DataView(front.buffer).setBigUint64(0, BigInt(length), true);
  front.set(json, 8);
  return {
    size: front.byteLength + at,
    async read(start, end) {
      const bytes = new Uint8Array(end - start);
      if (start < front.byteLength) bytes.set(front.subarray(start, end));
      const [from, to] = [start - front.byteLength, end - front.byteLength];
      for (const { tensor, begin, end: stop } of placed) {
        const [a, b] = [Math.max(from, begin), Math.min(to, stop)];
        if (a < b) bytes.set(await tensorBytes(tensor, a - begin, b - begin, read), a - from);
      }
      return bytes;
    },
  };
}

/** Bytes [from, to) of a tensor as it is in Hugging Face's file. */
async function tensorBytes(
  { entry, heads }: Stored,
  from: number,
  to: number,
  read: (start: number, end: number) => Promise<Bytes>,
): Promise<Bytes> {
  const width = DTYPES[entry.type][1];
  const [rows] = entry.shape;
  const columns = entry.shape.slice(1).reduce((product, size) => product * size, 1);
  const rowBytes = columns * width;
  if (heads === null) return plainBytes(entry, from, to, read);
  // Rows change places within a head only.
  const dim = rows / heads;
  const [first, last] = [Math.floor(from / (dim * rowBytes)), Math.ceil(to / (dim * rowBytes))];
  const paired = await plainBytes(entry, first * dim * rowBytes, last * dim * rowBytes, read);
  const turned = new Uint8Array(paired.byteLength);
  for (let row = 0; row < (last - first) * dim; row++) {
    const [head, i] = [Math.floor(row / dim), row % dim];
    const source = head * dim + (i < dim / 2 ? 2 * i : 2 * (i - dim / 2) + 1);
    turned.set(paired.subarray(source * rowBytes, (source + 1) * rowBytes), row * rowBytes);
  }
  const offset = first * dim * rowBytes;
  return turned.slice(from - offset, to - offset);
}

/** The same, with rows in the file's order. */
async function plainBytes(
  entry: GgufEntry,
  from: number,
  to: number,
  read: (start: number, end: number) => Promise<Bytes>,
): Promise<Bytes> {
  if (entry.type !== 'q8_0') return read(entry.start + from, entry.start + to);
  const [first, last] = [Math.floor(from / 4 / Q8.values), Math.ceil(to / 4 / Q8.values)];
  const packed = await read(entry.start + first * Q8.bytes, entry.start + last * Q8.bytes);
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const scales = f16ToF32(Uint16Array.from({ length: last - first }, (_, block) => view.getUint16(block * Q8.bytes, true)));
  const values = new Float32Array((last - first) * Q8.values);
  for (let block = 0; block < last - first; block++)
    for (let i = 0; i < Q8.values; i++) values[block * Q8.values + i] = scales[block] * view.getInt8(block * Q8.bytes + 2 + i);
  const offset = first * Q8.values * 4;
  return new Uint8Array(values.buffer).slice(from - offset, to - offset);
}
