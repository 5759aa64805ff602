// Checks our GGUF files with programs that we did not write. README.md says what is compared and which difference is
// allowed.

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { openGpu, type Gpu } from '../../src/gpu/device';
import type { ReadTensor } from '../../src/export/folder';
import { GGUF_TYPES, quantizeQ8, type GgufFile, type GgufType } from '../../src/io/formats/gguf';
import { exportGguf, exportGgufAdapter } from '../../src/export/gguf/export';
import { ggufName, transposed } from '../../src/export/gguf/tensors';
import { f16ToF32, narrow } from '../../src/base/half';
import type { ModelFiles } from '../../src/io/sources/model-files';
import { writeFolder } from '../../src/io/node/output';
import type { ParameterRow } from '../../src/model/types';
import { randomStream } from '../../src/base/random';
import { ggufSpecials } from '../../src/export/run-gguf';
import { loraSites, mergeAdapter } from '../../src/engine/lora';
import { openTokenizer } from '../../src/train/prepare';
import { gpt2LogProbs } from './gpt2';
import { llamaAnswer, type Llama } from './llama';
import { encoderOf, judgedModels, type JudgedModel } from './models';
import { ourAnswer } from './ours';
import { cutTexts } from './tokenizers';

/** The part of @huggingface/gguf's answer that we check. */
interface Parsed {
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly tensorInfos: readonly { readonly name: string; readonly shape: readonly bigint[]; readonly dtype: number }[];
}

export interface Judges {
  /** WebGPU for our engine. */
  readonly gpu: GPU;
  readonly llama: Llama;
  readonly parse: (file: string) => Promise<Parsed>;
  /** llama.cpp in a browser, on one file. */
  readonly browser: (file: string, prompt: string, tokens: number) => Promise<BrowserAnswer>;
}

export interface BrowserAnswer {
  readonly text: string;
  /** Log-probabilities of the tokens of the text. */
  readonly logProbs: readonly number[];
}

/**
 * Largest difference of a log-probability. f32: what an engine must reach. f16 and q8_0: ggml rounds what a matrix is multiplied
 * by to the matrix's own type, 11 bits or 8 bits with a scale for 32 values; our engine, holding the file's weights, does not.
 */
const ALLOWED: Readonly<Record<GgufType, number>> = { f32: 1e-4, f16: 0.05, q8_0: 0.5 };

/** ggml's CPU code looks GELU up in a table, argument and value rounded to 11 bits. judgeWithoutGelu shows that this is the only cause. */
const GELU_ALLOWED = 0.01;
const usesGelu = ({ shape }: ModelFiles): boolean => /^ge/.test(shape.activation);

const RANK = 3;
const ALPHA = 6;

let faults = 0;
const scientific = (value: number): string => value.toExponential(1);
function verdict(right: boolean, what: string): void {
  if (!right) faults++;
  console.log(`${right ? 'ok   ' : 'WRONG'} ${what}`);
}

type Rows = readonly ArrayLike<number>[];

/** The largest difference of each row. */
const byToken = (a: Rows, b: Rows): number[] =>
  a.map((row, t) => {
    let most = 0;
    for (let i = 0; i < row.length; i++) most = Math.max(most, Math.abs(row[i] - b[t][i]));
    return most;
  });
const worst = (a: Rows, b: Rows): number => (a.length === b.length ? Math.max(...byToken(a, b)) : Infinity);
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];

/** Tokens that two greedy texts have in common at their beginning. */
function agreeing(a: readonly number[], b: readonly number[]): number {
  const first = a.findIndex((id, i) => id !== b[i]);
  return first < 0 ? a.length : first;
}

async function write(folder: string, name: string, file: GgufFile): Promise<string> {
  await writeFolder(folder, [{ path: name, size: file.size, chunks: () => file.chunks() }]);
  return path.join(folder, name);
}

/** Prints every comparison; returns the number that went wrong. `only`: models whose name begins with this. */
export async function judge(root: string, judges: Judges, only: string): Promise<number> {
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'lisa-judge-'));
  try {
    const gpu = await openGpu(judges.gpu);
    console.log(
      `our engine on ${gpu.description.description}; llama.cpp on the CPU, one thread; cache in f32; largest difference over all tokens of the text`,
    );
    for (const model of await judgedModels(root, scratch)) {
      if (!model.name.startsWith(only)) continue;
      for (const type of GGUF_TYPES) await judgeFile(gpu, model, type, scratch, judges);
      if (usesGelu(model.files)) await judgeWithoutGelu(gpu, model, scratch, judges);
      if (model.texts.length === 0) await judgeAdapter(gpu, model, scratch, judges);
      else await judgeTexts(gpu, model, scratch, judges);
    }
    if ('tokenizers'.startsWith(only)) await judgeTokenizers(scratch, judges);
    return faults;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const fileName = (name: string, type: GgufType): string => `${name}-${type}.gguf`;

async function judgeFile(
  gpu: Gpu,
  { name, files, ids, more }: JudgedModel,
  type: GgufType,
  scratch: string,
  judges: Judges,
): Promise<void> {
  const specials = ggufSpecials(await openTokenizer(files));
  const file = await write(scratch, fileName(name, type), await exportGguf({ files, tensor: files.tensor, type, specials }));
  const parsed = await judges.parse(file);
  const stored = new Map(parsed.tensorInfos.map((info) => [info.name, info.dtype]));
  const whole =
    files.table.every((row) => stored.has(ggufName(row, files.shape)!)) && parsed.metadata['general.architecture'] !== undefined;
  verdict(whole, `${name} ${type}: @huggingface/gguf reads ${parsed.tensorInfos.length} tensors in ${statSync(file).size} bytes`);

  // Rows that are not multiples of 32 are f16 in a q8_0 file.
  if (type === 'q8_0' && !parsed.tensorInfos.some(({ dtype }) => dtype === 8))
    return console.log(`      ${name} q8_0: no row is a multiple of 32, the file is the f16 one`);

  const ours = await ourAnswer(gpu, files, type === 'f32' ? files.tensor : asStored(files, stored), ids, more);
  const model = await judges.llama.loadModel({ modelPath: file });
  const theirs = await llamaAnswer(model, ids, more);
  await model.dispose();
  const difference = worst(ours.logProbs, theirs.logProbs);
  const same = agreeing(ours.greedy, theirs.greedy);
  // Where the texts diverge: how far apart our engine puts the two tokens.
  const gap = same < more ? ours.choices[same][ours.greedy[same]] - ours.choices[same][theirs.greedy[same]] : 0;
  const text = `greedy text: ${same} of ${more} tokens the same${same < more ? `, then two whose log-probabilities are ${scientific(gap)} apart` : ''}`;
  if (type !== 'f32') {
    const exact = await ourAnswer(gpu, files, files.tensor, ids, more);
    const cost = `rounding the weights itself moves them by up to ${scientific(worst(exact.logProbs, ours.logProbs))}`;
    return verdict(difference <= ALLOWED[type], `${name} ${type}: ${scientific(difference)} of ${ALLOWED[type]} allowed; ${text}; ${cost}`);
  }
  if (files.shape.style === 'gpt2') {
    // An argument at the edge between two roundings may fall to either side, so not every token can agree.
    const rounded = byToken(await gpt2LogProbs(files, ids, true), theirs.logProbs);
    const exact = byToken(await gpt2LogProbs(files, ids, false), theirs.logProbs);
    const reason = `llama.cpp takes GELU from a table in f16; half of the tokens are within ${scientific(median(rounded))} of float64 with that table, and within ${scientific(median(exact))} of float64 without`;
    const right = difference <= GELU_ALLOWED && median(rounded) <= ALLOWED.f32 && same === more;
    return verdict(right, `${name} f32: ${scientific(difference)} of ${GELU_ALLOWED} allowed; ${text}; ${reason}`);
  }
  const allowed = usesGelu(files) ? GELU_ALLOWED : ALLOWED.f32;
  verdict(difference <= allowed && same === more, `${name} f32: ${scientific(difference)} of ${allowed} allowed; ${text}`);
}

/** The weights as the file holds them. */
function asStored(files: ModelFiles, stored: ReadonlyMap<string, number>): ReadTensor {
  return async (row: ParameterRow) => {
    const data = await files.tensor(row);
    const type = stored.get(ggufName(row, files.shape)!);
    if (type === 0) return data;
    if (type === 1) return f16ToF32(narrow(data, 'f16'));
    // Blocks run along the rows of the file.
    const turn = files.shape.style === 'gpt2' && row.layer !== null;
    const [rows, columns] = row.shape;
    const restored = unquantized(turn ? transposed(data, rows, columns) : data);
    return turn ? (transposed(restored, columns, rows) as Float32Array<ArrayBuffer>) : restored;
  };
}

function unquantized(data: Float32Array): Float32Array<ArrayBuffer> {
  const bytes = quantizeQ8(data);
  const values = new Float32Array(data.length);
  for (let at = 0, i = 0; at < bytes.length; at += 34) {
    const [scale] = f16ToF32(Uint16Array.of(bytes[at] | (bytes[at + 1] << 8)));
    for (let k = 0; k < 32; k++) values[i++] = scale * ((bytes[at + 2 + k] << 24) >> 24);
  }
  return values;
}

/**
 * GPT-2 with GELU's arguments above ten, and Gemma with gates that are far from zero: there the table is not used, and GELU is the identity
 * or zero. The rest must be as exact as for other models.
 */
async function judgeWithoutGelu(gpu: Gpu, { name, files, ids, more }: JudgedModel, scratch: string, judges: Judges): Promise<void> {
  const tensor: ReadTensor = async (row, ...part) => {
    const data = await files.tensor(row, ...part);
    if (row.local === 'mlp.gate_proj.weight') return data.map((value) => 1000 * value);
    return row.local === 'mlp.c_fc.bias' ? data.map((value) => value + 30) : data;
  };
  const specials = ggufSpecials(await openTokenizer(files));
  const file = await write(scratch, `${name}-linear.gguf`, await exportGguf({ files, tensor, type: 'f32', specials }));
  const model = await judges.llama.loadModel({ modelPath: file });
  const theirs = await llamaAnswer(model, ids, more);
  await model.dispose();
  const difference = worst((await ourAnswer(gpu, files, tensor, ids, more)).logProbs, theirs.logProbs);
  verdict(difference <= ALLOWED.f32, `${name} f32, GELU's arguments beyond ten: ${scientific(difference)} of ${ALLOWED.f32} allowed`);
}

async function judgeTokenizers(scratch: string, judges: Judges): Promise<void> {
  for (const { name, refused, texts, otherwise, fuzzed, fuzzedOtherwise } of await cutTexts(judges.llama, (path, file) =>
    write(scratch, path, file),
  )) {
    if (refused !== null) console.log(`      tokenizer ${name}: no GGUF. ${refused}`);
    else
      verdict(
        otherwise.length === 0,
        `tokenizer ${name}: llama.cpp cuts ${texts - otherwise.length} of ${texts} texts into the same tokens, and ${fuzzed - fuzzedOtherwise} of ${fuzzed} fuzzed strings`,
      );
    for (const text of otherwise) console.log(`  otherwise: ${JSON.stringify(text)}`);
  }
}

/**
 * Compares base and adapter as two files with the merged weights in our engine. A and B are random: a fresh B is zero and shows
 * nothing.
 */
async function judgeAdapter(gpu: Gpu, { name, files, ids, more }: JudgedModel, scratch: string, judges: Judges): Promise<void> {
  const parts = new Map<string, { a: Float32Array<ArrayBuffer>; b: Float32Array<ArrayBuffer> }>();
  const sites = Array.from({ length: files.shape.layers }, (_, layer) =>
    loraSites(files.shape).map((site) => {
      const random = randomStream(3, name, layer, site.slice);
      const some = (length: number) => Float32Array.from({ length }, () => (random.nextFloat() - 0.5) * 0.2);
      const made = { a: some(RANK * site.op.in), b: some(site.out * RANK) };
      parts.set(`${layer} ${site.weight}`, made);
      const { op, slice, out } = site;
      return { layer, part: slice, inputs: op.in, outputs: out, a: () => Promise.resolve(made.a), b: () => Promise.resolve(made.b) };
    }),
  ).flat();
  const merged: ReadTensor = async (row) => {
    const weight = await files.tensor(row);
    const made = parts.get(`${row.layer} ${row.local}`);
    const site = loraSites(files.shape).find(({ weight: local }) => local === row.local);
    return made && site ? mergeAdapter(weight, site, made.a, made.b, RANK, ALPHA / RANK) : weight;
  };
  const adapter = await write(scratch, `${name}-adapter.gguf`, exportGgufAdapter(files, sites, RANK, ALPHA));
  const { tensorInfos } = await judges.parse(adapter);
  const ours = await ourAnswer(gpu, files, merged, ids, more);
  const base = await ourAnswer(gpu, files, files.tensor, ids, more);
  const model = await judges.llama.loadModel({ modelPath: path.join(scratch, fileName(name, 'f32')) });
  const theirs = await llamaAnswer(model, ids, more, adapter);
  await model.dispose();
  const difference = worst(ours.logProbs, theirs.logProbs);
  const allowed = usesGelu(files) ? GELU_ALLOWED : ALLOWED.f32;
  const moved = worst(ours.logProbs, base.logProbs);
  verdict(
    difference <= allowed && moved > 10 * allowed && tensorInfos.length === 2 * sites.length,
    `${name} base + adapter against merged: ${scientific(difference)} of ${allowed} allowed; the adapter moves them by up to ${scientific(moved)}`,
  );
}

async function judgeTexts(
  gpu: Gpu,
  { name, files, ids, more, prompt, texts }: JudgedModel,
  scratch: string,
  judges: Judges,
): Promise<void> {
  const file = path.join(scratch, fileName(name, 'f32'));
  const encode = await encoderOf(files);
  const model = await judges.llama.loadModel({ modelPath: file });
  const otherwise = texts.filter((text) => encode(text).join() !== model.tokenize(text, true).join());
  await model.dispose();
  verdict(
    otherwise.length === 0,
    `${name}: ${texts.length - otherwise.length} of ${texts.length} texts cut into the same tokens by llama.cpp`,
  );

  const ours = await ourAnswer(gpu, files, files.tensor, ids, more);
  const tokenizer = await openTokenizer(files);
  const stop = ours.greedy.findIndex((id) => tokenizer.eosIds.includes(id));
  const made = stop < 0 ? ours.greedy : ours.greedy.slice(0, stop);
  const theirs = await judges.browser(file, prompt, made.length);
  const continued = await ourAnswer(gpu, files, files.tensor, [...ids, ...made], 1);
  const want = made.map((id, i) => continued.logProbs[ids.length - 1 + i][id]);
  const difference = theirs.logProbs.length === want.length ? Math.max(...want.map((p, i) => Math.abs(p - theirs.logProbs[i]))) : Infinity;
  const text = tokenizer.decode([...ids, ...made]).slice(tokenizer.decode(ids).length);
  verdict(
    theirs.text === text && difference <= ALLOWED.f32,
    `${name} in Chromium (wllama): ${theirs.text === text ? 'the same' : 'another'} greedy text of ${made.length} tokens, its log-probabilities within ${scientific(difference)} of ${ALLOWED.f32} allowed`,
  );
  if (theirs.text !== text) console.log(`  ours   ${JSON.stringify(text)}\n  theirs ${JSON.stringify(theirs.text)}`);
}
