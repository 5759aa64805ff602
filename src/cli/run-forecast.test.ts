// The forecast command: known models, config files, the levers of memory, and what it says to bad input.

import { describe, expect, test } from 'vitest';
import { PUBLIC_CONFIGS } from '../model/public-configs';
import { parseModelConfig } from '../model/config';
import { parameterCount, parameterTable } from '../model/parameters';
import { runForecast } from './run-forecast';

async function run(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const status = await runForecast(args, {
    stdout: (text) => void (out += text),
    stderr: (text) => void (err += text),
    env: {},
  });
  return { status, out, err };
}

interface Shown {
  readonly total: number;
  readonly bytes: Readonly<Record<string, number>>;
}
const json = async (...args: string[]) =>
  JSON.parse((await run(...args, '--json')).out) as Shown & {
    readonly model: string;
    readonly levers: readonly { readonly lever: string; readonly saves: number; readonly work: number }[];
  } & Readonly<Record<'full' | 'lora' | 'lisaAsPublished', Shown>>;

/** As their publishers count them. */
const PARAMETERS = {
  'wordsmith-2m': 1_738_880,
  'gpt2-124m': 124_439_808,
  'smollm2-135m': 134_515_008,
  'smollm2-360m': 361_821_120,
  'gemma-3-270m': 268_098_176,
  'qwen2.5-0.5b': 494_032_768,
  'qwen3-0.6b': 596_049_920,
  'tinyllama-1.1b': 1_100_048_384,
  'llama-3.2-1b': 1_235_814_400,
} as const satisfies Record<keyof typeof PUBLIC_CONFIGS, number>;

describe('known models', () => {
  test.each(Object.entries(PARAMETERS))('%s has %i parameters', (name, parameters) => {
    const shape = parseModelConfig(PUBLIC_CONFIGS[name as keyof typeof PARAMETERS], name);
    expect(parameterCount(parameterTable(shape))).toBe(parameters);
  });

  test.each(['gpt2-124m', 'llama-3.2-1b'] as const)('%s: full training takes 16 bytes for each parameter', async (name) => {
    const parameters = PARAMETERS[name];
    const { total, bytes, full } = await json('--model', name, '--seq-len', '512', '--batch-size', '1');
    expect(total).toBe(Object.values(bytes).reduce((sum, held) => sum + held, 0));
    const { weights, gradients, optimizer } = full.bytes;
    // Starts of tensors are padded to 256 bytes.
    expect((weights + gradients + optimizer) / (16 * parameters)).toBeCloseTo(1, 3);
  });

  test('each lever lowers what it is for, and LoRA is compared at the same base and recomputation', async () => {
    const base = ['--model', 'SmolLM2-135M', '--seq-len', '512', '--batch-size', '1'];
    const plain = await json(...base);
    expect(plain.total).toBe(plain.lisaAsPublished.total);
    const levers = await json(...base, '--recompute', 'layer', '--optimizer-state', 'int8', '--weights', 'stored');
    expect(levers.bytes.activations).toBeLessThan(plain.bytes.activations / 5);
    expect(levers.bytes.optimizer / plain.bytes.optimizer).toBeCloseTo(0.254, 3);
    expect(levers.bytes.weights).toBeLessThan(0.62 * plain.bytes.weights);
    expect(levers.full.total).toBe(plain.full.total);
    expect(plain.levers).toEqual([]);
    expect(levers.levers.map(({ lever }) => lever)).toEqual(['recomputation', 'precision', 'state']);
    const { saves, work } = levers.levers[0];
    const without = await json(...base, '--optimizer-state', 'int8', '--weights', 'stored');
    expect(saves).toBe(without.total - levers.total);
    expect(work).toBeGreaterThan(1.2);
    expect(work).toBeLessThan(1.35);
    expect(levers.lora.bytes.weights).toBeLessThan(plain.lora.bytes.weights);
    expect(levers.lora.bytes.activations).toBeLessThan(plain.lora.bytes.activations / 5);
  });
});

test('rows of the data’s tokens: their number is given, and two layers, they and the norm take 16 bytes a parameter', async () => {
  const base = ['--model', 'smollm2-135m', '--seq-len', '512', '--batch-size', '1', '--weights', 'stored', '--lisa-embedding', 'rows'];
  const { bytes } = await json(...base, '--embedding-rows', '4096');
  const layer = 4 * 576 * 576 + 3 * 576 * 1536 + 2 * 576 - 2 * 576 * 384;
  expect(bytes.gradients + bytes.optimizer + bytes.masters).toBe(16 * (2 * layer + 4096 * 576 + 576));
  const half = await json(...base, '--embedding-rows=2048');
  expect(bytes.optimizer - half.bytes.optimizer).toBe(2 * 2048 * 576 * 4);
  const unknown = await run(...base, '--json');
  expect(unknown.err).toBe('forecast: the data is not known, so all rows of the vocabulary count; --embedding-rows says how many train.\n');
  expect(await json(...base)).toMatchObject(await json(...base, '--lisa-embedding', 'on'));
});

test('a table for people, the built-in model without options, and a config.json without weights', async () => {
  const { status, out } = await run();
  expect(status).toBe(0);
  expect(out).toMatch(/8 layers.*\n.*LISA as published.*LoRA, same base\n(.*\n)*total/);
  expect((await json('--model', 'public/models/wordsmith-2m/config.json')).total).toBe((await json()).total);
  expect((await run('--help')).out).toContain('forecast -- [--model');
});

test.each([
  [['--model', 'nowhere'], /--model: there is no nowhere\. Give a directory/],
  [['--model', 'package.json'], /model_type/],
  [['--model', 'README.md'], /README\.md cannot be read as JSON/],
  [['--model', 'gpt2-124m', '--seq-len', '4096'], /--seq-len: 4096/],
  [['--model', 'gpt2-124m', '--lisa-layers', '13'], /--lisa-layers: γ = 13/],
  [['--recompute', 'all'], /--recompute/],
  [['--embedding-rows', '0'], /--embedding-rows: '0' is not a number of tokens/],
  [['--embedding-rows'], /--embedding-rows: '' is not/],
  [['--embedding-rows', '2049'], /2049 is more than the vocabulary's 2048 tokens/],
  [['--lisa-embedding', 'rows', '--lisa-head', 'off'], /--lisa-head: .*off for the head contradicts rows for the embedding/],
])('%j is refused with one line', async (args, message) => {
  const { status, out, err } = await run(...args);
  expect([status, out]).toEqual([2, '']);
  expect(err).toMatch(message);
  expect(err.trim().split('\n')).toHaveLength(1);
});
