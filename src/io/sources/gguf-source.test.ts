// A GGUF file as a model: what our exporter wrote is read back, tensor for tensor and token for token; damaged files are refused, or are what a
// reader that shares nothing with ours reads.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { AppError } from '../../base/errors';
import { randomStream } from '../../base/random';
import { exportGguf } from '../../export/gguf/export';
import { ggufSpecials } from '../../export/run-gguf';
import type { FixtureName } from '../../testing/fixtures';
import { SLOW } from '../../testing/slow';
import { temporaryFolder, writeTinyModel } from '../../testing/tiny-folder';
import { ROOT } from '../../testing/tokenizers';
import { openTokenizer } from '../../train/prepare';
import { readGgufHead, type GgufHead } from '../formats/gguf-read';
import type { GgufType } from '../formats/gguf';
import { nodeSource } from '../node/source';
import { fileListSource } from './file-list-source';
import { ropeFrequencies } from '../../model/rope';
import { ggufConfig, GgufKeys } from './gguf-config';
import { ggufSource, orGguf } from './gguf-source';
import { openModel, type ModelFiles } from './model-files';

const folder = temporaryFolder('gguf-in');
afterAll(() => folder.remove());

type Bytes = Uint8Array<ArrayBuffer>;
const reading = (bytes: Bytes) => (start: number, end: number) => Promise.resolve(bytes.slice(start, end));

async function written(files: ModelFiles, type: GgufType): Promise<Bytes> {
  const { chunks, size } = await exportGguf({
    files,
    tensor: (row, start, end) => files.tensor(row, start, end),
    type,
    specials: ggufSpecials(await openTokenizer(files)),
  });
  const bytes = new Uint8Array(size);
  let at = 0;
  for await (const chunk of chunks()) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

const tiny = async (name: FixtureName): Promise<ModelFiles> => openModel(await nodeSource(writeTinyModel(join(folder.path, name), name)));
const TEXTS = ['one two three', 'A line.\n\n  Two spaces, 123 and 4567: it’s “quoted” 🙂 你好', ' leading', '<s> </s>', ''];

/** The same shape, every weight the same, and the same tokens. */
async function same(read: ModelFiles, was: ModelFiles): Promise<void> {
  expect(read.shape).toEqual(was.shape);
  for (const row of was.table) expect(await read.tensor(row), row.name).toEqual(await was.tensor(row));
  const [mine, theirs] = [await openTokenizer(read), await openTokenizer(was)];
  // The vocabularies of most fixtures are smaller than their tokenizer.
  for (const text of was.shape.vocab > 259 ? TEXTS : []) {
    expect(mine.encode(text), text).toEqual(theirs.encode(text));
    expect(mine.decode(mine.encode(text)), text).toEqual(theirs.decode(theirs.encode(text)));
  }
  expect([mine.eosIds, mine.bosId, mine.addBos, mine.chatTemplate]).toEqual([
    theirs.eosIds,
    theirs.bosId,
    theirs.addBos,
    theirs.chatTemplate,
  ]);
}

test.each<FixtureName>(['tiny-llama', 'tiny-llama-bias', 'tiny-llama-linear', 'tiny-mistral', 'tiny-qwen2', 'tiny-qwen3'])(
  '%s: the exported file is the model again',
  async (name) => {
    const was = await tiny(name);
    const bytes = await written(was, 'f32');
    const read = await openModel(await ggufSource(`${name}.gguf`, bytes.byteLength, reading(bytes)));
    await same(read, { ...was, shape: { ...was.shape, ...forgets(was, read) } });
  },
);

/** What GGUF does not say and nothing depends on: a window that no position goes beyond. */
const forgets = (was: ModelFiles, read: ModelFiles): Partial<ModelFiles['shape']> =>
  was.shape.window ? { window: read.shape.window, maxPositions: read.shape.maxPositions, family: read.shape.family } : {};

test.each([8, 32])("Llama 3's scaling by %i is found from the factors of its angles; another is refused", (factor) => {
  const scaling = { type: 'llama3', factor, lowFreqFactor: 1, highFreqFactor: 4, originalPositions: 8192 } as const;
  const scaled = ropeFrequencies({ theta: 5e5, scaling }, 64);
  const factors = Float32Array.from(ropeFrequencies({ theta: 5e5, scaling: null }, 64), (plain, i) => plain / scaled[i]);
  const metadata = new Map<string, number | string>([
    ['general.architecture', 'llama'],
    ...Object.entries({
      embedding_length: 64,
      feed_forward_length: 8,
      block_count: 1,
      context_length: 131_072,
      'attention.head_count': 1,
    }).map(([key, value]): [string, number] => [`llama.${key}`, value]),
    ['llama.attention.layer_norm_rms_epsilon', Math.fround(1e-5)],
    ['llama.rope.freq_base', 5e5],
  ]);
  const embedding = { name: 'token_embd.weight', shape: [9, 64], type: 'f32', start: 0, end: 2304 } as const;
  const head = { metadata, tensors: new Map([[embedding.name, embedding]]) };
  const config = (by: Float32Array) => ggufConfig(new GgufKeys('m', metadata), head, by);
  expect(config(factors)).toMatchObject({ rms_norm_eps: 1e-5, rope_scaling: { rope_type: 'llama3', factor, high_freq_factor: 4 } });
  expect(() => config(factors.map((value) => value * 1.01))).toThrow(/scaled in an unknown way/);
});

test.each<GgufType>(['f16', 'q8_0'])('stories260k as %s: weights as the file has them, and its SentencePiece', async (type) => {
  const path = join(ROOT, '../shared/real/stories260k');
  const source = await nodeSource(path).catch(() => null);
  if (!source) return console.log(`skipped: ${path} is not here`);
  const was = await openModel(source);
  const bytes = await written(was, type);
  const read = await openModel(await ggufSource('s.gguf', bytes.byteLength, reading(bytes)));
  for (const row of was.table.slice(0, 12)) {
    const [given, stored] = [await was.tensor(row), await read.tensor(row)];
    const most = given.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    // Half a step of the type at the largest value.
    const step = type === 'f16' ? most * 2 ** -11 : most / 127 / 2 + most * 2 ** -10;
    const worst = given.reduce((max, value, i) => Math.max(max, Math.abs(value - stored[i])), 0);
    expect(worst, row.name).toBeLessThanOrEqual(step);
  }
  const [mine, theirs] = [await openTokenizer(read), await openTokenizer(was)];
  for (const text of TEXTS.slice(0, 3)) expect(mine.encode(text)).toEqual(theirs.encode(text));
});

test('a folder with one GGUF file and no config.json is that model; with several, one must be chosen', async () => {
  const bytes = await written(await tiny('tiny-qwen2'), 'f32');
  const files = [new File([bytes], 'a.gguf'), new File(['x'], 'README.md')];
  expect(await (await orGguf(fileListSource(files))).list()).toEqual([
    'config.json',
    'generation_config.json',
    'model.safetensors',
    'tokenizer.json',
    'tokenizer_config.json',
  ]);
  await expect(orGguf(fileListSource([...files, new File([bytes], 'b.gguf')]))).rejects.toMatchObject({ code: 'MODEL_FILE' });
  const model = writeTinyModel(join(folder.path, 'plain'), 'tiny-llama');
  expect(await (await orGguf(await nodeSource(model))).list()).toEqual(readdirSync(model).sort());
});

/** A second reader: one generator over the bytes, everything as BigInt; null where the file is not sound. */
function independent(bytes: Bytes): { meta: [string, unknown][]; tensors: [string, bigint[], number, bigint][] } | null {
  const data = Buffer.from(bytes);
  let p = 0;
  const eat = (n: number): Buffer => {
    if (p + n > data.length) throw new Error('short');
    p += n;
    return data.subarray(p - n, p);
  };
  const long = (): bigint => eat(8).readBigUInt64LE();
  const text = (): string => {
    const n = long();
    if (n > BigInt(data.length)) throw new Error('short');
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(eat(Number(n)));
  };
  const value = (t: number): unknown => {
    if (t === 0) return eat(1).readUInt8();
    if (t === 1) return eat(1).readInt8();
    if (t === 2) return eat(2).readUInt16LE();
    if (t === 3) return eat(2).readInt16LE();
    if (t === 4) return eat(4).readUInt32LE();
    if (t === 5) return eat(4).readInt32LE();
    if (t === 6) return eat(4).readFloatLE();
    if (t === 7) return eat(1).readUInt8() === 1;
    if (t === 8) return text();
    if (t === 10) return Number(long());
    if (t === 11) return Number(eat(8).readBigInt64LE());
    if (t === 12) return eat(8).readDoubleLE();
    if (t !== 9) throw new Error('type');
    const inner = eat(4).readUInt32LE();
    const list: unknown[] = [];
    for (let n = long(); n > 0n; n--) list.push(value(inner));
    return list;
  };
  try {
    if (eat(4).toString('latin1') !== 'GGUF') return null;
    eat(4);
    const [tensorCount, keyCount] = [long(), long()];
    const meta: [string, unknown][] = [];
    for (let n = 0n; n < keyCount; n++) meta.push([text(), value(eat(4).readUInt32LE())]);
    const tensors: [string, bigint[], number, bigint][] = [];
    for (let n = 0n; n < tensorCount; n++) {
      const name = text();
      const dims: bigint[] = [];
      for (let d = eat(4).readUInt32LE(); d > 0; d--) dims.unshift(long());
      tensors.push([name, dims, eat(4).readUInt32LE(), long()]);
    }
    return { meta, tensors };
  } catch {
    return null;
  }
}

const NUMBERS: Readonly<Record<string, number>> = { f32: 0, f16: 1, q8_0: 8, bf16: 30 };

function agrees(head: GgufHead, other: NonNullable<ReturnType<typeof independent>>): void {
  expect([...head.metadata]).toEqual(other.meta);
  expect([...head.tensors.values()].map(({ name, shape, type }) => [name, shape.map(BigInt), NUMBERS[type]])).toEqual(
    other.tensors.map(([name, dims, type]) => [name, dims, type]),
  );
}

// LISA_SLOW=1 tries 20,000 (docs/checks.md).
test('damaged files: a typed error, or what another reader reads, and soon', { timeout: 3_600_000 }, async () => {
  const [a, b] = [await written(await tiny('tiny-llama'), 'f16'), await written(await tiny('tiny-qwen3'), 'q8_0')];
  const random = randomStream(11, 'damaged gguf');
  let [refused, read, slowest] = [0, 0, 0];
  for (let i = 0; i < (SLOW ? 20_000 : 200); i++) {
    const whole = i % 2 ? a : b;
    const bytes = whole.slice(0, i % 5 === 0 ? random.nextBelow(whole.length) : whole.length);
    // Mostly in the header, where the structure is.
    if (i % 5 > 0) for (let n = 0; n <= i % 4; n++) bytes[random.nextBelow(i % 3 ? 4000 : bytes.length)] = random.nextBelow(256);
    const begun = performance.now();
    try {
      const head = await readGgufHead('d.gguf', bytes.byteLength, reading(bytes));
      const other = independent(bytes);
      expect(other, `case ${i}`).not.toBeNull();
      agrees(head, other!);
      const model = await openModel(await ggufSource('d.gguf', bytes.byteLength, reading(bytes)));
      await openTokenizer(model);
      read++;
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown;
      expect(thrown.code, thrown.detail).not.toBe('INTERNAL');
      refused++;
    }
    slowest = Math.max(slowest, performance.now() - begun);
  }
  console.log(`GGUF: ${read} read, ${refused} refused; slowest ${slowest.toFixed(0)} ms`);
  expect(slowest).toBeLessThan(5000);
  expect(Math.min(refused, read)).toBeGreaterThan(10);
});
