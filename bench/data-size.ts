// Reads a large data file as a run reads it, with the built-in model's tokenizer and no GPU. Prints how long it takes,
// how much extra memory it needs, how long it blocks the worker's event loop at a time, and what another row length
// costs afterwards.

import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { DEFAULTS } from '../src/config/run-config';
import { preparing } from '../src/data/sample/dataset';
import { loadTokenizer } from '../src/data/tokenize/tokenizer';
import { openDataFile } from '../src/io/node/source';
import { randomStream } from '../src/base/random';
import { loadFiles } from '../src/train/load-data';
import { Pace } from '../src/train/pace';

const MODEL = join(import.meta.dirname, '../public/models/wordsmith-2m');
const ROWS = 200_000;
const BYTES = 200_000_000;

async function write(path: string, lines: () => string, until: (bytes: number, count: number) => boolean): Promise<number> {
  const out = createWriteStream(path);
  let [bytes, count] = [0, 0];
  while (!until(bytes, count)) {
    const block = Array.from({ length: 1000 }, lines).join('');
    bytes += Buffer.byteLength(block);
    count += 1000;
    if (!out.write(block)) await new Promise<void>((resolve) => out.once('drain', () => resolve()));
  }
  await new Promise<void>((resolve) => out.end(() => resolve()));
  return bytes;
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;

async function measure(path: string): Promise<void> {
  const read = (name: string): Promise<string> => readFile(join(MODEL, name), 'utf8');
  const tokenizer = loadTokenizer(
    { tokenizerJson: await read('tokenizer.json'), tokenizerConfig: await read('tokenizer_config.json') },
    2048,
  );
  const data = await openDataFile(path);
  const memory = (): number => {
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const base = memory();
  let peak = base;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const watch = setInterval(() => (peak = Math.max(peak, memory())), 20);
  delay.enable();
  const begun = performance.now();
  const pace = new Pace(() => true);
  const loaded = await loadFiles({ data, evalData: null }, tokenizer, DEFAULTS, pace);
  const dataset = await pace.finish(preparing(loaded!.data, null, DEFAULTS));
  const seconds = (performance.now() - begun) / 1000;
  const blocked = delay.max / 1e6;
  delay.reset();
  const again = performance.now();
  const other = await pace.finish(preparing(loaded!.data, null, { ...DEFAULTS, seqLen: 512 }));
  const cutting = (performance.now() - again) / 1000;
  delay.disable();
  clearInterval(watch);
  const { rows, tokens } = dataset!.summary;
  process.stdout.write(
    `${data.name}: ${megabytes(data.size)}, ${rows} rows or windows, ${tokens} tokens: ${seconds.toFixed(1)} s; memory at most ${megabytes(peak - base)} above the start ` +
      `(tokens ${megabytes(loaded!.data.encoding.store.bytes)}); longest block ${blocked.toFixed(0)} ms; rough cuts ${loaded!.data.encoding.roughCuts}; ` +
      `another length (${other!.train.length} samples) ${cutting.toFixed(2)} s, longest block ${(delay.max / 1e6).toFixed(0)} ms\n`,
  );
}

export async function run(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'lisa-data-'));
  try {
    const draw = randomStream(1, 'data size');
    const words =
      (await readFile(join(import.meta.dirname, '../public/data/devils-dictionary.jsonl'), 'utf8')).match(/[A-Za-z]+[,.]?/g) ?? [];
    const sentence = (count: number): string => Array.from({ length: count }, () => words[draw.nextBelow(words.length)]).join(' ');
    const chat = (): string =>
      `${JSON.stringify({
        messages: [
          { role: 'user', content: `Define: ${sentence(3)}` },
          { role: 'assistant', content: sentence(20 + draw.nextBelow(40)) },
        ],
      })}\n`;
    const paragraph = (): string => `${sentence(30 + draw.nextBelow(100))}\n${draw.nextBelow(3) === 0 ? '\n' : ''}`;
    await write(join(folder, 'rows.jsonl'), chat, (_, count) => count >= ROWS);
    await measure(join(folder, 'rows.jsonl'));
    await write(join(folder, 'text.txt'), paragraph, (bytes) => bytes >= BYTES);
    await measure(join(folder, 'text.txt'));
  } finally {
    await rm(folder, { recursive: true });
  }
}
