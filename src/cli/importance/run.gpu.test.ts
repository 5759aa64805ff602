// From a model to a profile and from the profile to a run that draws by it; and what is refused on the way.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { AppError } from '../../base/errors';
import { movementWeights, readProfile } from '../../lisa/profile';
import { nodeLab } from '../../testing/node-lab';
import { cli, quickOptions, ROOT } from '../../testing/tiny-cli';
import { halfModelFile, temporaryFolder, writeTinyModel } from '../../testing/tiny-folder';
import { textRows } from '../../testing/tiny-session';
import type { RunReport } from '../../train/events';
import { runImportance } from './run';

const folder = temporaryFolder('importance');
afterAll(() => folder.remove());
const path = (...parts: string[]): string => join(folder.path, ...parts);
const model = writeTinyModel(path('model'), 'tiny-llama');
const data = path('rows.jsonl');
writeFileSync(data, textRows(30).bytes);
const OUT = path('profile.json');

async function importance(args: readonly string[], gpu = false): Promise<{ status: number; stdout: string; stderr: string }> {
  let [stdout, stderr] = ['', ''];
  const status = await runImportance(args, {
    stdout: (text) => (stdout += text),
    stderr: (text) => (stderr += text),
    async openGpu() {
      if (!gpu) throw new AppError('NO_ADAPTER', 'This test has no GPU.', '');
      return { ...(await nodeLab()).gpu, close: () => undefined };
    },
    onStop: () => () => undefined,
    publicFolder: join(ROOT, 'public'),
    env: {},
    debug: true,
  });
  return { status, stdout, stderr };
}

const measure = (...more: string[]): string[] => [
  ...[
    '--model',
    model,
    '--data',
    data,
    '--out',
    OUT,
    '--steps',
    '3',
    '--seq-len',
    '12',
    '--batch-size',
    '2',
    '--lora-rank',
    '2',
    '--lr',
    '0.01',
  ],
  ...more,
];

test('a profile is measured, a run draws by it and says so, and another model is refused by name', async () => {
  const { status, stdout, stderr } = await importance(measure('--full', '--verify', 'on', '--adapters', path('adapters')), true);
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toContain('are bit for bit as they were loaded');
  expect(stdout).toContain('in its place would have been off by at most');
  const profile = readProfile(readFileSync(OUT, 'utf8'), 'profile.json');
  expect(profile).toMatchObject({ source: 'lora', steps: 3, model: { name: 'model', layers: 4 } });
  expect(readdirSync(path('adapters')).sort()).toEqual([1, 2, 3].map((step) => `step-${step}.safetensors`));

  const run = quickOptions(model, data, path('out'), { 'lisa-profile': OUT });
  expect(await cli(run, { gpu: true })).toMatchObject({ status: 0, stderr: '' });
  const report = JSON.parse(readFileSync(path('out', 'report.json'), 'utf8')) as RunReport;
  expect(report.importance).toMatchObject({ source: 'lora', steps: 3 });
  // Normalised once more on the way.
  profile.weights.forEach((p, layer) => expect(report.importance!.weights[layer]).toBeCloseTo(p, 14));
  expect(readFileSync(path('out', 'README.md'), 'utf8')).toContain('LoRA norms');

  const moved = await importance(['--from-run', path('out'), '--out', path('moved.json')]);
  expect(moved).toMatchObject({ status: 0, stderr: '' });
  const movement = readProfile(readFileSync(path('moved.json'), 'utf8'), 'moved.json');
  expect(movement).toMatchObject({ source: 'updates', model: profile.model, norms: null, steps: report.steps });
  expect(movement.weights).toEqual(movementWeights(4, report.updates));

  const other = writeTinyModel(path('other'), 'tiny-llama', { 'model.safetensors': await halfModelFile('tiny-llama', 'bf16') });
  const refused = await cli(quickOptions(other, data, path('refused'), { 'lisa-profile': OUT }), { gpu: true });
  expect(refused).toMatchObject({ status: 2 });
  expect(refused.stderr).toContain('measured on another model than other');
  expect(existsSync(path('refused'))).toBe(false);
});

test.each<[string, () => string[], number, string]>([
  ['a file that exists', () => measure(), 2, 'This file exists'],
  ['--out that is read', () => ['--model', model, '--data', data, '--out', data, '--overwrite'], 2, 'The measurement reads'],
  ['a run that is not there', () => ['--from-run', path('nowhere'), '--out', OUT, '--overwrite'], 2, 'cannot be read'],
  ['adapters into a folder that is in use', () => measure('--overwrite', '--adapters', model), 2, 'is not empty'],
  ['more than a run says', () => measure('--from-run', path('out')), 2, 'measures nothing'],
  ['another method', () => measure('--method', 'full'), 2, 'always measures LoRA'],
  ['an option of LISA', () => measure('--lisa-layers', '2'), 2, 'trains no LISA'],
  ['an option that is not known', () => measure('--speed', '2'), 2, '--speed'],
  ['no GPU', () => measure('--overwrite'), 1, 'This test has no GPU'],
])('%s', async (_, args, status, words) => {
  writeFileSync(OUT, 'kept');
  const result = await importance(args());
  expect(result.stderr).toContain(words);
  expect(result.stderr.trim().split('\n')).toHaveLength(1);
  expect(result).toMatchObject({ status, stdout: '' });
  expect(readFileSync(OUT, 'utf8')).toBe('kept');
});

test('a file that is no profile, and a sampler that would not look at it, are refused before anything is read', async () => {
  writeFileSync(OUT, '{"format":"lisa-studio importance","version":1,"source":"lora","weights":[0]}');
  for (const [file, words] of [
    [path('none.json'), 'there is no file'],
    [OUT, 'model is not an object'],
  ]) {
    const { status, stderr } = await cli(['--model', model, '--lisa-profile', file]);
    expect(stderr).toContain(words);
    expect(status).toBe(2);
  }
});

test('--prove shows every promise with its figures after the run, and is refused for what promises none of them', async () => {
  const { status, stdout, stderr } = await cli([...quickOptions(model, data, path('proved'), { steps: '2' }), '--prove'], { gpu: true });
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout.match(/^holds: /gm)).toHaveLength(6);
  expect(stdout).toContain('With γ = L it is full training, bit for bit');
  const refused = await cli([...quickOptions(model, data, path('unproved'), { method: 'lora' }), '--prove']);
  expect(refused.stderr).toContain('--prove shows what LISA promises');
  expect(refused.status).toBe(2);
});

test('Algorithm 1 to the letter trains no layer in some periods, and the run says in how many', async () => {
  const more = { 'lisa-sampler': 'algorithm1', 'lisa-layers': '1', 'lisa-period': '1', steps: '6', seed: '2' };
  const { status, stdout, stderr } = await cli(quickOptions(model, data, path('algorithm1'), more), { gpu: true });
  expect([status, stderr]).toEqual([0, '']);
  const { schedule, bernoulli } = JSON.parse(readFileSync(path('algorithm1', 'report.json'), 'utf8')) as RunReport;
  const empty = schedule.filter(({ layers }) => layers.length === 0).length;
  expect(empty).toBeGreaterThan(0);
  expect(bernoulli).toMatchObject({ redrawn: 0, emptyPeriods: empty });
  expect(stdout).toContain(`Algorithm 1 drew no layer in ${empty} of 6 periods`);
  // Without anything that always trains, such a period would have nothing to do.
  const refused = await cli(quickOptions(model, data, path('none'), { ...more, 'lisa-train': 'none' }));
  expect(refused.status).toBe(2);
  expect(refused.stderr).toContain('Algorithm 1 may draw no layer');
});
