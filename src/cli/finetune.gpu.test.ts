// The command as a person runs it: what it leaves in --out, what it prints, and that a killed and resumed run ends as
// if it had not been killed. The programs are built first if they are older than the sources.

import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureBuild } from '../../scripts/project.mjs';
import { nodeSource } from '../io/node/source';
import { openModel } from '../io/sources/model-files';
import { MEMORY_CATEGORIES } from '../dispatch/memory';
import type { RunReport, StepMetrics } from '../train/events';
import { cli, quickOptions, ROOT, type CliResult } from '../testing/tiny-cli';
import { temporaryFolder, writeTinyModel } from '../testing/tiny-folder';
import { writeSafetensors } from '../io/formats/safetensors';
import { collect } from '../testing/tiny-model';
import { textRows } from '../testing/tiny-session';
import type { StopReason } from './terminal';

const folder = temporaryFolder('finetune');
afterAll(() => folder.remove());
const LLAMA = writeTinyModel(join(folder.path, 'llama'), 'tiny-llama', { LICENSE: 'Do what you like.\n' });
const GPT2 = writeTinyModel(join(folder.path, 'gpt2'), 'tiny-gpt2');
const DATA = join(folder.path, 'rows.jsonl');
// One malformed row, so that every run here also shows that it is skipped and counted.
writeFileSync(DATA, `${new TextDecoder().decode(textRows(6).bytes)}{"text": 3}\n`);
const skip = { 'bad-rows': 'skip' };

const METRIC_KEYS = ['step', 'loss', 'lr', 'gradNorm', 'tokens', 'activeLayers', 'stepMs', 'memory'];
const REPORT_KEYS = [
  'method',
  'model',
  'data',
  'device',
  'kernels',
  'schedule',
  'memory',
  'parameters',
  'trainable',
  'stored',
  'steps',
  'tokensPerSecond',
  'updates',
  'evalLoss',
];

const lines = (out: string): string[] => readFileSync(join(out, 'metrics.jsonl'), 'utf8').trimEnd().split('\n');
const metricsOf = (out: string): StepMetrics[] => lines(out).map((line) => JSON.parse(line) as StepMetrics);
const timeless = (out: string): object[] => metricsOf(out).map(({ stepMs: _, ...rest }) => rest);
const reportOf = (out: string): RunReport => JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as RunReport;

/** Exactly the documented keys, in both files, with plausible figures. */
function checkReports(out: string, steps: number): void {
  const metrics = metricsOf(out);
  expect(metrics.map(({ step }) => step)).toEqual(Array.from({ length: steps }, (_, i) => i + 1));
  const report = reportOf(out);
  for (const line of metrics) {
    expect(Object.keys(line)).toEqual(METRIC_KEYS);
    expect(Object.keys(line.memory)).toEqual([...MEMORY_CATEGORIES, 'total']);
    expect(line.memory.total).toBe(MEMORY_CATEGORIES.reduce((sum, name) => sum + line.memory[name], 0));
    expect(line.memory).toEqual(report.memory.peak);
    for (const value of [line.loss, line.lr, line.gradNorm, line.tokens, line.stepMs]) expect(value).toBeGreaterThan(0);
  }
  expect(Object.keys(report)).toEqual(REPORT_KEYS);
  expect(Object.keys(report.memory)).toEqual(['forecast', 'peak', 'fullForecast', 'loraForecast']);
  expect(report.memory.peak).toEqual(report.memory.forecast);
  expect(report.updates.map(({ period, layers }) => ({ period, layers: layers.map(({ layer }) => layer) }))).toEqual(
    report.schedule.map(({ period, layers }) => ({ period, layers })),
  );
  for (const { change } of report.updates.flatMap(({ layers }) => layers)) expect(change).toBeGreaterThan(0);
  expect(report.evalLoss[0].step).toBe(0);
  expect(report.evalLoss.at(-1)!.step).toBe(steps);
  for (const { period, firstStep, layers } of report.schedule) {
    expect(metrics.filter(({ step }) => step >= firstStep && step < firstStep + 2).map((m) => m.activeLayers)).toEqual([layers, layers]);
    expect(firstStep).toBe(2 * period + 1);
  }
}

describe('in this process', () => {
  test('LISA, exported as f16: says how much of the training survives the rounding', async () => {
    const out = join(folder.path, 'f16');
    const { status, stdout, stderr } = await cli(quickOptions(LLAMA, DATA, out, { ...skip, 'out-dtype': 'f16', lr: '0.0003' }), {
      gpu: true,
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const [, survived, changed, share] = /rounded to f16: (\d+) of (\d+) changed weights survive \(([\d.]+) %\)/.exec(stdout)!.map(Number);
    expect(share).toBeCloseTo((100 * survived) / changed, 1);

    // Counted again from the files. A changed weight that rounds to the same value as its base is lost; an f16 file
    // shows exactly that.
    const [base, tuned] = [await openModel(await nodeSource(LLAMA)), await openModel(await nodeSource(out))];
    expect(tuned.dtypes).toEqual({ f32: 0, f16: base.dtypes.f32, bf16: 0 });
    let different = 0;
    for (const row of base.table) {
      const [a, b] = [await base.tensor(row), await tuned.tensor(row)];
      different += a.filter((value, i) => toF16(value) !== b[i]).length;
    }
    expect(survived).toBe(different);
    expect(changed).toBeGreaterThan(survived);
    expect(readFileSync(join(out, 'config.json'), 'utf8')).toContain('"torch_dtype": "float16"');
  });

  test('LoRA on GPT-2: merged weights and the adapter below them, as GGUF too', async () => {
    const out = join(folder.path, 'lora');
    const lora = { method: 'lora', 'lora-rank': '3', 'save-every': '0', gguf: 'f32' };
    const { status, stderr } = await cli(quickOptions(GPT2, DATA, out, { ...skip, ...lora }), { gpu: true });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(readdirSync(out).sort()).toEqual(
      [
        '.lisa-studio.json',
        'README.md',
        'adapter',
        'adapter.gguf',
        'checkpoint',
        'config.json',
        'generation_config.json',
        'metrics.jsonl',
        'model.gguf',
        'model.safetensors',
        'report.json',
        'tokenizer.json',
        'tokenizer_config.json',
      ].sort(),
    );
    checkReports(out, 4);
    expect(reportOf(out)).toMatchObject({ method: 'lora', schedule: [] });
    const adapter = JSON.parse(readFileSync(join(out, 'adapter', 'adapter_config.json'), 'utf8')) as Record<string, unknown>;
    expect(adapter).toMatchObject({
      peft_type: 'LORA',
      revision: null,
      r: 3,
      lora_alpha: 32,
      fan_in_fan_out: true,
      target_modules: ['attn.c_attn', 'attn.c_proj', 'mlp.c_fc', 'mlp.c_proj'],
    });
    const file = readFileSync(join(out, 'adapter', 'adapter_model.safetensors'));
    const header = JSON.parse(file.toString('utf8', 8, 8 + Number(file.readBigUInt64LE(0)))) as Record<string, { shape: number[] }>;
    expect(Object.keys(header).filter((name) => name !== '__metadata__').length).toBe(4 * 4 * 2);
    expect(header['base_model.model.transformer.h.0.attn.c_attn.lora_A.weight'].shape).toEqual([3, 48]);
    expect(header['base_model.model.transformer.h.0.attn.c_attn.lora_B.weight'].shape).toEqual([144, 3]);
    // Every projection of every layer has moved, and nothing else.
    const [base, tuned] = [await openModel(await nodeSource(GPT2)), await openModel(await nodeSource(out))];
    for (const row of base.table) {
      const same = Buffer.compare(Buffer.from((await base.tensor(row)).buffer), Buffer.from((await tuned.tensor(row)).buffer)) === 0;
      expect(`${row.name} ${same}`).toBe(`${row.name} ${!/\.(c_attn|c_proj|c_fc)\.weight$/.test(row.name)}`);
    }
  });

  test('--verify on: says after every period that the frozen blocks are unchanged', async () => {
    const out = join(folder.path, 'verified');
    const { status, stdout } = await cli([...quickOptions(LLAMA, DATA, out, { ...skip, steps: '5' }), '--verify', 'on'], { gpu: true });
    expect(status).toBe(0);
    const told = [...stdout.matchAll(/^after step (\d+): (\d) frozen blocks are unchanged, bit for bit \((.*)\)$/gm)];
    expect(told.map(([, step]) => Number(step))).toEqual([2, 4, 5]);
    const layers = ['layer.0', 'layer.1', 'layer.2', 'layer.3'];
    told.forEach(([, , count, names], period) => {
      const frozen = layers.filter((_, layer) => !reportOf(out).schedule[period].layers.includes(layer));
      expect(names).toBe(frozen.join(', '));
      expect(Number(count)).toBe(frozen.length);
    });
  });

  test('a finished run is replaced only with --overwrite, when the new one is complete', async () => {
    const out = join(folder.path, 'again');
    expect((await cli(quickOptions(LLAMA, DATA, out, skip), { gpu: true })).status).toBe(0);
    const [weights, metrics] = ['model.safetensors', 'metrics.jsonl'].map((name) => readFileSync(join(out, name)));
    const more = quickOptions(LLAMA, DATA, out, { ...skip, seed: '7' });
    const { status, stderr } = await cli(more, { gpu: true });
    expect({ status, stderr }).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/--out: .* already holds results\..*--overwrite/) as string,
    });
    const atFirstStep: boolean[] = [];
    const watch = (text: string): void => {
      if (/^step +1\//.test(text)) atFirstStep.push(readFileSync(join(out, 'metrics.jsonl')).equals(metrics));
    };
    expect((await cli([...more, '--overwrite'], { gpu: true, watch })).status).toBe(0);
    expect(atFirstStep).toEqual([true]);
    expect(readFileSync(join(out, 'model.safetensors')).equals(weights)).toBe(false);
    expect(readdirSync(join(out, 'checkpoint')).sort()).toEqual(['latest.json', 'step-4.safetensors']);
    expect(readdirSync(folder.path).filter((name) => name.startsWith('again'))).toEqual(['again']);
    checkReports(out, 4);
    // If the run is resumed into another folder, that folder is complete, too.
    const other = join(folder.path, 'other');
    expect(await cli(['--resume', out, '--out', other], { gpu: true })).toMatchObject({ status: 0, stderr: '' });
    expect(timeless(other)).toEqual(timeless(out));
    expect(readFileSync(join(other, 'model.safetensors')).equals(readFileSync(join(out, 'model.safetensors')))).toBe(true);
  });

  test('a signal saves at once and ends with its own status; the resumed run ends as if there had been none', async () => {
    const [stopped, whole] = [join(folder.path, 'stopped'), join(folder.path, 'not-stopped')];
    const options = (out: string): string[] => quickOptions(LLAMA, DATA, out, { ...skip, 'save-every': '0' });
    let stop: (reason: StopReason) => void = () => undefined;
    const first = await cli(options(stopped), {
      gpu: true,
      onStop: (by) => (stop = by),
      watch: (text) => text.startsWith('step 1/') && stop({ status: 143, what: 'SIGTERM' }),
    });
    expect(first).toMatchObject({
      status: 143,
      stderr: expect.stringMatching(/SIGTERM: saving and stopping.*\nStopped after step [12]\./) as string,
    });
    expect(readdirSync(stopped)).toContain('model.safetensors');
    expect(lines(stopped).length).toBeLessThan(4);
    expect((await cli(options(whole), { gpu: true })).status).toBe(0);
    expect((await cli(['--resume', stopped], { gpu: true })).status).toBe(0);
    expect(timeless(stopped)).toEqual(timeless(whole));
    expect(readFileSync(join(stopped, 'model.safetensors')).equals(readFileSync(join(whole, 'model.safetensors')))).toBe(true);
  });

  test('a run that is stopped before its first step exports nothing', async () => {
    const out = join(folder.path, 'not-begun');
    const { status, stderr } = await cli(quickOptions(LLAMA, DATA, out, skip), {
      gpu: true,
      onStop: (stop) => stop({ status: 130, what: 'SIGINT' }),
    });
    expect({ status, stderr }).toMatchObject({ status: 130, stderr: expect.stringContaining('nothing is exported') as string });
    expect(readdirSync(out).sort()).toEqual(['.lisa-studio.json', 'checkpoint']);
  });

  test('a folder that is removed while the run writes to it is told', async () => {
    const out = join(folder.path, 'removed');
    const watch = (text: string): void => {
      if (text.startsWith('step 1/')) rmSync(out, { recursive: true });
    };
    const { status, stderr } = await cli(quickOptions(LLAMA, DATA, out, skip), { gpu: true, watch });
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringMatching(/removed.* cannot be written \(ENOENT\)\. Its folder was removed meanwhile/) as string,
    });
    expect(existsSync(out)).toBe(false);
  });

  test('--resume with --export-last: the weights of the checkpoint, with nothing trained', async () => {
    const [stopped, exported] = [join(folder.path, 'stored'), join(folder.path, 'exported')];
    let stop: (reason: StopReason) => void = () => undefined;
    const options = quickOptions(LLAMA, DATA, stopped, { ...skip, weights: 'stored', steps: '20' });
    const onStop = (by: typeof stop): void => void (stop = by);
    const watch = (text: string): void => void (text.startsWith('step  2/') && stop({ status: 130, what: 'SIGINT' }));
    expect((await cli(options, { gpu: true, onStop, watch })).status).toBe(130);
    expect(await cli(['--resume', stopped, '--out', exported, '--export-last'], { gpu: true })).toMatchObject({ status: 0, stderr: '' });
    expect(lines(exported)).toEqual(lines(stopped));
    expect(readFileSync(join(exported, 'model.safetensors')).equals(readFileSync(join(stopped, 'model.safetensors')))).toBe(true);
  });

  test('weights that no model has are named, not the learning rate', async () => {
    const base = await openModel(await nodeSource(LLAMA));
    const tensors = await Promise.all(
      base.table.map(async (row) => {
        const values = await base.tensor(row);
        const scaled = row.role === 'head' ? values.map((value) => Math.sign(value) * 1e38) : values;
        return {
          name: base.fileName(row),
          dtype: 'f32' as const,
          shape: row.shape,
          data: (start: number, end: number) => scaled.slice(start, end),
        };
      }),
    );
    const model = writeTinyModel(join(folder.path, 'huge'), 'tiny-llama', {
      'model.safetensors': await collect(writeSafetensors(tensors, { format: 'pt' }).chunks()),
    });
    const out = join(folder.path, 'from-huge');
    const { status, stderr } = await cli(quickOptions(model, DATA, out, skip), { gpu: true });
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringMatching(
        /Nothing was trained yet; .*lm_head.* holds values up to 1\.0e\+38\. Use another copy of the model/,
      ) as string,
    });
    expect(existsSync(out)).toBe(false);
  });
});

/** To the nearest half-precision value, ties to even, for values that f16 holds as normal numbers or as subnormals. */
function toF16(value: number): number {
  const exponent = Math.max(-14, Math.floor(Math.log2(Math.abs(value) || 1)));
  const unit = 2 ** (exponent - 10);
  const scaled = value / unit;
  const floor = Math.floor(scaled);
  const up = scaled - floor > 0.5 || (scaled - floor === 0.5 && floor % 2 !== 0);
  return (floor + (up ? 1 : 0)) * unit;
}

/** A child process; `watch` may end it. */
function run(args: readonly string[], watch: (kill: () => void) => void = () => undefined): Promise<CliResult & { signal: string | null }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(ROOT, 'scripts/run-node.mjs'), 'finetune', ...args], {
      cwd: folder.path,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (part: Buffer) => (stdout += part.toString()));
    child.stderr.on('data', (part: Buffer) => (stderr += part.toString()));
    child.once('error', reject);
    child.once('close', (status, signal) => resolve({ status: status ?? -1, signal, stdout, stderr }));
    watch(() => child.kill('SIGKILL'));
  });
}

describe('whole, and killed and resumed', () => {
  const STEPS = 24;
  const options = (out: string): string[] =>
    quickOptions(LLAMA, DATA, out, { ...skip, steps: String(STEPS), 'save-every': '7', 'eval-every': '6' });
  const [whole, killed] = [join(folder.path, 'whole'), join(folder.path, 'killed')];

  beforeAll(() => ensureBuild('node', { quiet: true }), 120_000);

  test('trains, tells a person what happens, and leaves a complete folder', async () => {
    const { status, stdout, stderr } = await cli(options(whole), { gpu: true });
    expect(status, stderr).toBe(0);
    expect(readdirSync(whole).sort()).toEqual(
      [
        'LICENSE',
        '.lisa-studio.json',
        'README.md',
        'checkpoint',
        'config.json',
        'generation_config.json',
        'metrics.jsonl',
        'model.safetensors',
        'report.json',
        'tokenizer.json',
        'tokenizer_config.json',
      ].sort(),
    );
    checkReports(whole, STEPS);
    expect(reportOf(whole).evalLoss.map(({ step }) => step)).toEqual([0, 6, 12, 18, 24]);
    // Says what it trains, shows progress, samples before and after, and the memory of all three methods.
    expect(stdout).toMatch(/^model +llama: \d+,?\d+,?\d* parameters, 4 layers/m);
    expect(stdout).toMatch(/^data +rows\.jsonl: 4 rows, .*2 rows held out$/m);
    expect(stdout).toContain('1 malformed rows skipped');
    expect(stdout.match(/^step +\d+\/24 +loss \d+\.\d+ /gm)?.length).toBeGreaterThan(5);
    for (const when of ['before', 'step 10', 'step 20', 'after']) expect(stdout).toContain(`[${when}] one\n`);
    expect(stdout).toMatch(/^memory +lisa measured +lisa forecast +lora forecast +full forecast$/m);
    const { peak, fullForecast } = reportOf(whole).memory;
    expect(stdout).toContain(
      `full fine-tuning would need ${(fullForecast.total / 1e6).toFixed(2)} MB (forecast): ${(100 * (1 - peak.total / fullForecast.total)).toFixed(1)} % less.`,
    );
    expect(stdout).toMatch(/^The forecast saves [\d.]+ MB: [\d.]+ MB come from training few layers/m);
    expect(stdout).not.toMatch(/undefined|NaN|\[object/);
  }, 120_000);

  // Two processes of the built program, against the run above.
  test('killed in the middle and resumed, it ends as if it had not been; --json prints JSON lines only', async () => {
    const path = join(killed, 'metrics.jsonl');
    const first = await run(options(killed), (kill) => {
      const timer = setInterval(() => {
        if (!existsSync(path) || lines(killed).length < 10) return;
        clearInterval(timer);
        kill();
      }, 2);
      timer.unref();
    });
    expect(first.signal).toBe('SIGKILL');
    const steps = lines(killed).length;
    expect(steps).toBeGreaterThanOrEqual(10);
    expect(steps).toBeLessThan(STEPS);
    expect(existsSync(join(killed, 'model.safetensors')) || existsSync(join(killed, 'report.json'))).toBe(false);
    // A line that the kill cut short.
    appendFileSync(path, '{"step":23,"loss":1.');

    const { status, stdout, stderr } = await run(['--resume', killed, '--json']);
    expect(status, stderr).toBe(0);
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; metrics?: StepMetrics; prepared?: { firstStep: number } });
    const from = events.find(({ type }) => type === 'prepared')!.prepared!.firstStep;
    console.info(`killed after step ${steps}, resumed at step ${from}`);
    expect(from % 7).toBe(1);
    expect(from).toBeGreaterThan(7);
    expect(events.flatMap(({ metrics }) => metrics?.step ?? [])).toEqual(Array.from({ length: STEPS - from + 1 }, (_, i) => from + i));
    expect(events.at(-1)).toMatchObject({ type: 'report', out: killed, report: reportOf(killed), rounding: null });

    checkReports(killed, STEPS);
    expect(timeless(killed)).toEqual(timeless(whole));
    const { tokensPerSecond: _, ...report } = reportOf(killed);
    expect(reportOf(whole)).toMatchObject(report);
    for (const file of readdirSync(whole).filter(
      (name) => !['metrics.jsonl', 'report.json', 'checkpoint', '.lisa-studio.json'].includes(name),
    )) {
      expect(readFileSync(join(killed, file)).equals(readFileSync(join(whole, file))), file).toBe(true);
    }
  }, 180_000);

  test('a refusal is status 2 and one line', async () => {
    const { status, stdout, stderr } = await run(['--lisa-period', '0']);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr.trimEnd().split('\n').at(-1)).toBe('finetune: --lisa-period: 0 is too small. Enter a whole number from 1 to 10,000,000.');
  }, 60_000);
});
