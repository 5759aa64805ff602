// A run for other engines needs no GPU, trains nothing, and is refused like any other run if model or data are wrong.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { temporaryFolder, writeTinyModel } from '../../testing/tiny-folder';
import { runFinetune } from './run';

const folder = temporaryFolder('elsewhere-cli');
afterAll(() => folder.remove());

async function finetune(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  let [stdout, stderr] = ['', ''];
  const status = await runFinetune(args, {
    stdout: (text) => (stdout += text),
    stderr: (text) => (stderr += text),
    openGpu: () => Promise.reject(new Error('no GPU is needed')),
    onStop: () => () => undefined,
    publicFolder: folder.path,
    env: {},
    debug: false,
  });
  return { status, stdout, stderr };
}

test('writes the files, with the places of model and data, and nothing else', async () => {
  const model = writeTinyModel(join(folder.path, "it's a model"), 'tiny-gpt2');
  const data = join(folder.path, 'rows.jsonl');
  mkdirSync(folder.path, { recursive: true });
  writeFileSync(data, '{"text": "one"}\n'.repeat(30));
  const out = join(folder.path, 'elsewhere');
  const options = ['--model', model, '--data', data, '--out', join(folder.path, 'never'), '--lisa-layers', '3', '--seq-len', '12'];
  const { status, stdout, stderr } = await finetune(...options, '--continue-elsewhere', out);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain(out);
  expect(readdirSync(out).sort()).toEqual(['.lisa-studio.json', 'README.md', 'axolotl.yaml', 'lmflow.sh', 'prepare_data.py']);
  expect(existsSync(join(folder.path, 'never'))).toBe(false);
  const yaml = readFileSync(join(out, 'axolotl.yaml'), 'utf8');
  for (const line of [
    `base_model: ${JSON.stringify(model)}`,
    'lisa_n_layers: 3',
    'lisa_layers_attribute: "transformer.h"',
    'sequence_len: 12',
  ])
    expect(yaml.split('\n')).toContain(line);
  expect(yaml).toContain('type: "completion"');
  expect(readFileSync(join(out, 'README.md'), 'utf8')).toContain(`python3 prepare_data.py '${data}'`);

  const refused = await finetune(
    '--model',
    join(folder.path, 'none'),
    '--data',
    data,
    '--continue-elsewhere',
    join(folder.path, 'refused'),
  );
  expect(refused.status).toBe(2);
  expect(existsSync(join(folder.path, 'refused'))).toBe(false);
});
