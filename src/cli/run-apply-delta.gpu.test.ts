// Base and delta together give the tuned model, bit for bit; files that do not belong together are refused by name and
// nothing is written.

import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeFolder } from '../io/node/output';
import { writeSafetensors } from '../io/formats/safetensors';
import { collect } from '../testing/tiny-model';
import { temporaryFolder } from '../testing/tiny-folder';
import { openTiny, textRows, TINY_CONFIG, tinyInputs } from '../testing/tiny-session';
import { exportDelta } from '../export/run-delta';
import { exportTuned } from '../export/run';
import { runApplyDelta } from './run-apply-delta';

const folder = temporaryFolder('apply');
afterAll(() => folder.remove());
const at = (...parts: string[]): string => join(folder.path, ...parts);
const [BASE, DELTA, TUNED] = [at('tiny-llama'), at('delta'), at('tuned')];

beforeAll(async () => {
  const config = { ...TINY_CONFIG, steps: 3, evalSplit: 0, saveEvery: 0, sampleTokens: 1 };
  const { session } = await openTiny(await tinyInputs(folder.path, 'tiny-llama', config, textRows(4)));
  await session.run();
  await writeFolder(DELTA, await exportDelta(session));
  await writeFolder(TUNED, (await exportTuned(session, 'f32')).files);
  session.close();
}, 120_000);

async function apply(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  let [stdout, stderr] = ['', ''];
  const status = await runApplyDelta(args, { stdout: (text) => (stdout += text), stderr: (text) => (stderr += text) });
  return { status, stdout, stderr };
}

test('every file of the tuned export but its card', async () => {
  const out = at('out');
  const { status, stdout, stderr } = await apply('--base', BASE, '--delta', DELTA, '--out', out);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain(out);
  const names = readdirSync(TUNED).filter((name) => name !== 'README.md');
  expect(readdirSync(out).sort()).toEqual(['.lisa-studio.json', ...names].sort());
  for (const name of names) expect(readFileSync(join(out, name)).equals(readFileSync(join(TUNED, name))), name).toBe(true);
  expect(readFileSync(join(out, 'model.safetensors')).equals(readFileSync(join(BASE, 'model.safetensors')))).toBe(false);
});

/** A copy of the delta with other contents of some files. */
function changed(name: string, files: Readonly<Record<string, Uint8Array | string>>): string {
  mkdirSync(at(name));
  for (const file of ['delta.safetensors', 'delta.json']) {
    if (file in files) writeFileSync(at(name, file), files[file]);
    else copyFileSync(join(DELTA, file), at(name, file));
  }
  return at(name);
}

async function refused(options: { base?: string; delta?: string; out?: string }): Promise<string> {
  const out = options.out ?? at('never');
  const { status, stdout, stderr } = await apply('--base', options.base ?? BASE, '--delta', options.delta ?? DELTA, '--out', out);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr.trim().split('\n').length).toBe(1);
  expect(existsSync(at('never'))).toBe(false);
  return stderr;
}

interface About {
  base_sha256: string;
  tensors: { name: string; shape: number[] }[];
}
const about = (): About => JSON.parse(readFileSync(join(DELTA, 'delta.json'), 'utf8')) as About;

async function weights(tensors: readonly { name: string; shape: readonly number[]; dtype?: 'f32' | 'f16' }[], base = about().base_sha256) {
  const list = tensors.map(({ name, shape, dtype = 'f32' }) => ({
    name,
    shape,
    dtype,
    data: (start: number, end: number) => new Float32Array(end - start),
  }));
  return collect(writeSafetensors(list, { base_sha256: base }).chunks());
}
const aboutOf = (tensors: readonly { name: string; shape: readonly number[] }[]): string => JSON.stringify({ ...about(), tensors });

test('another base', async () => {
  expect(await refused({ base: TUNED })).toMatch(/tuned is not the model that the delta was made from \("tiny-llama"\)/);
});

test('files of two deltas, and files that are not deltas', async () => {
  const { tensors } = about();
  expect(await refused({ delta: changed('pair', { 'delta.safetensors': await weights(tensors, '0'.repeat(64)) }) })).toMatch(
    /different runs/,
  );
  expect(await refused({ delta: changed('fewer', { 'delta.safetensors': await weights(tensors.slice(1)) }) })).toMatch(/different runs/);
  expect(await refused({ delta: changed('text', { 'delta.json': '{' }) })).toMatch(/delta\.json is not valid JSON/);
  expect(await refused({ delta: changed('empty', { 'delta.json': '{}' }) })).toMatch(/no base_sha256/);
  expect(await refused({ delta: changed('list', { 'delta.json': aboutOf([null as never]) }) })).toMatch(/no list of tensors/);
  expect(
    await refused({ delta: changed('cut', { 'delta.safetensors': readFileSync(join(DELTA, 'delta.safetensors')).subarray(0, 4000) }) }),
  ).toMatch(/cut short/);
  expect(await refused({ delta: BASE })).toMatch(/delta\.json" is missing/);
});

test('tensors that the base does not have, or not like that', async () => {
  const [first] = about().tensors;
  const of = async (name: string, tensor: { name: string; shape: readonly number[]; dtype?: 'f32' | 'f16' }): Promise<string> =>
    refused({ delta: changed(name, { 'delta.safetensors': await weights([tensor]), 'delta.json': aboutOf([tensor]) }) });
  expect(await of('unknown', { name: 'model.other', shape: [2] })).toMatch(/has no tensor "model\.other"/);
  expect(await of('shape', { ...first, shape: [...first.shape, 2] })).toMatch(/has shape .*, in tiny-llama/);
  expect(await of('half', { ...first, dtype: 'f16' })).toMatch(/stored as "F16"/);
});

test('missing options, and an output folder that is taken', async () => {
  expect((await apply('--help')).stdout).toContain('--delta <dir>');
  expect((await apply('--base', BASE)).stderr).toMatch(/--delta is missing/);
  expect((await apply('--bse', BASE)).stderr).toMatch(/--bse/);
  const before = readFileSync(join(BASE, 'model.safetensors'));
  expect(await refused({ out: BASE })).toMatch(/is the folder of --base/);
  expect(await refused({ out: DELTA })).toMatch(/is the folder of --delta/);
  expect(await refused({ out: folder.path })).toMatch(/holds --base/);
  expect(await refused({ out: join(BASE, 'config.json') })).toMatch(/is a file/);
  expect(readFileSync(join(BASE, 'model.safetensors')).equals(before)).toBe(true);
});
