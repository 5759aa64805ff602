// Keys and types against an extract of both engines' schemas; hostile names through a real shell; the data program against our own reader.

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { DEFAULTS, type RunConfig } from '../../config/run-config';
import { axolotlConfig } from './axolotl';
import { elsewhereFiles } from './elsewhere';
import type { ElsewhereFacts } from './facts';
import { lmflowOptions } from './lmflow';
import { parseData } from '../../testing/whole-data';
import schemaJson from '../../testing/fixtures/elsewhere-schema.json';
import { temporaryFolder } from '../../testing/tiny-folder';

const folder = temporaryFolder('elsewhere');
afterAll(() => folder.remove());

const HOSTILE = 'a\'b"c $(touch pwned) `id`: #x\n- y\\';
const facts = (change: Partial<RunConfig> = {}, more: Partial<ElsewhereFacts> = {}): ElsewhereFacts => ({
  config: { ...DEFAULTS, ...change },
  model: 'HuggingFaceTB/SmolLM2-135M@v1',
  style: 'llama',
  tied: false,
  data: 'rows.jsonl',
  chat: true,
  ...more,
});
const textOf = (of: ElsewhereFacts, name: string): string => elsewhereFiles(of).find((file) => file.name === name)!.text;

const CASES: [string, ElsewhereFacts][] = [
  ['LISA', facts()],
  ['LISA on GPT-2, text', facts({ lisaSampler: 'weighted', lr: 3e-7, eps: 1e-8, gradClip: 0 }, { style: 'gpt2', chat: false })],
  ['LoRA', facts({ method: 'lora', saveEvery: 0, mask: 'all' })],
  ['full, nothing held out', facts({ method: 'full', evalSplit: 0, lrSchedule: 'constant', packing: true })],
  ['names that want to be something else', facts({}, { model: HOSTILE, data: HOSTILE })],
];

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  str: (value) => typeof value === 'string',
  int: (value) => Number.isInteger(value),
  float: (value) => typeof value === 'number',
  bool: (value) => typeof value === 'boolean' || value === 0 || value === 1,
  'auto|bool': (value) => value === 'auto' || typeof value === 'boolean',
  'list[str]': (value) => Array.isArray(value) && value.every((entry) => typeof entry === 'string'),
  'list[dataset]': (value) =>
    Array.isArray(value) && value.every((entry) => faults(entry as object, schemaJson.axolotlDataset).length === 0),
};

function faults(fields: object, schema: Readonly<Record<string, string>>): string[] {
  return Object.entries(fields).flatMap(([key, value]: [string, unknown]) => {
    const type = Object.hasOwn(schema, key) ? schema[key] : null;
    return type !== null && TYPES[type](value) ? [] : [`${key}: ${JSON.stringify(value)} is no ${type ?? 'known field'}`];
  });
}

/** The subset of YAML that is written: keys, and JSON for what is on their line. Numbers must be numbers in YAML 1.1 too. */
function readYaml(text: string): Record<string, unknown> {
  const read: Record<string, unknown> = {};
  let list: Record<string, unknown>[] = [];
  for (const line of text.trimEnd().split('\n')) {
    const [, dash, key, value] = /^( {2}- | {4}|)(\w+):(?: (.*))?$/.exec(line)!;
    if (value === undefined) read[key] = list = [];
    else {
      if (/^-?\d/.test(value)) expect(value).toMatch(/^-?\d+$|^-?\d+\.\d+(e[-+]\d+)?$/);
      if (dash === '  - ') list.push({});
      (dash === '' ? read : list.at(-1)!)[key] = JSON.parse(value);
    }
  }
  return read;
}

describe.each(CASES)('%s', (_, of) => {
  test('axolotl knows every key and its type, and the text says the same', () => {
    const config = axolotlConfig(of);
    expect(faults(config, schemaJson.axolotl)).toEqual([]);
    const read = readYaml(textOf(of, 'axolotl.yaml'));
    const hostile = of.model === HOSTILE ? { base_model: HOSTILE.replace('\n', '\ufffd') } : {};
    expect(read).toEqual({ ...config, ...hostile });
    // axolotl refuses steps between evaluations where nothing is held out.
    expect('eval_steps' in config && config.val_set_size === 0).toBe(false);
  });

  test('LMFlow knows every option and its type, and a shell passes them on', () => {
    const options = lmflowOptions(of);
    expect(faults(options, schemaJson.lmflow)).toEqual([]);
    const bin = join(folder.path, 'bin');
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, 'python'), '#!/bin/sh\nfor word in "$@"; do printf \'%s\\n\' "$word"; done\n');
    chmodSync(join(bin, 'python'), 0o755);
    writeFileSync(join(folder.path, 'lmflow.sh'), textOf(of, 'lmflow.sh'));
    const env = { PATH: `${bin}:${process.env.PATH}`, LMFLOW: '/lm flow', CONVERSATION_TEMPLATE: 'qwen2' };
    const { status, stdout, stderr } = spawnSync('sh', ['lmflow.sh'], { cwd: folder.path, env, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value).replace('\n', '\ufffd')]);
    const template = of.chat ? ['--conversation_template', 'qwen2'] : [];
    expect(stdout.trimEnd().split('\n')).toEqual([
      '/lm flow/examples/finetune.py',
      ...words,
      ...template,
      '--overwrite_output_dir',
      '--do_train',
    ]);
    for (const word of [...template, '--overwrite_output_dir', '--do_train'].filter((word) => word.startsWith('--')))
      expect(Object.hasOwn(schemaJson.lmflow, word.slice(2)), word).toBe(true);
    if (of.chat) {
      const refused = spawnSync('sh', ['lmflow.sh'], { cwd: folder.path, env: { ...env, CONVERSATION_TEMPLATE: '' }, encoding: 'utf8' });
      expect(refused.status).not.toBe(0);
      expect(refused.stderr).toContain('chat template');
    }
  });
});

test('what this run does as the others do is not told as a difference', () => {
  const told = (change: Partial<RunConfig>): string => textOf(facts(change), 'README.md');
  const differences = [/This run draws by/, /This run does not train/, /This run trains only the rows/, /This run parks/];
  const found = (change: Partial<RunConfig>): boolean[] => differences.map((one) => one.test(told(change)));
  expect(found({ lisaEmbedding: 'on', lisaHead: 'on' })).toEqual([false, false, false, false]);
  expect(found({ lisaSampler: 'cycle', lisaState: 'park', alwaysOn: { embedding: false, head: false, norm: false } })).toEqual([
    ...[true, true, false, true],
  ]);
  expect(found({ method: 'full', lisaSampler: 'cycle', lisaState: 'park' })).toEqual([false, false, false, false]);
});

test('a step to save or to evaluate at is written only if there is one', () => {
  expect(axolotlConfig(facts({ saveEvery: 7, evalEvery: 9 }))).toMatchObject({ save_steps: 7, eval_steps: 9 });
  const none = axolotlConfig(facts({ saveEvery: 0, evalEvery: 0 }));
  expect(Object.keys(none).filter((key) => /^(save|eval)_steps$/.test(key))).toEqual([]);
});

test('LISA settings, revision and schedule arrive; what cannot is said', () => {
  const config = axolotlConfig(facts({ lisaLayers: 3, stepsPerPeriod: 7 }));
  expect(config).toMatchObject({
    base_model: 'HuggingFaceTB/SmolLM2-135M',
    revision_of_model: 'v1',
    lisa_n_layers: 3,
    lisa_step_interval: 7,
    lisa_layers_attribute: 'model.layers',
    max_steps: 100,
    lr_scheduler: 'cosine',
    warmup_steps: 10,
  });
  expect(axolotlConfig(facts({}, { style: 'gpt2' })).lisa_layers_attribute).toBe('transformer.h');
  expect(lmflowOptions(facts({ lisaLayers: 3, stepsPerPeriod: 7 }))).toMatchObject({ lisa_activated_layers: 3, lisa_interval_steps: 7 });
  const readme = textOf(
    facts({ lisaSampler: 'cycle', alwaysOn: { embedding: false, head: true, norm: true }, lisaState: 'park' }),
    'README.md',
  );
  expect(readme).toContain('This run draws by cycle');
  expect(readme).toContain('does not train embedding: there they train');
  expect(readme).toContain('parks the state');
  expect(textOf(facts({ method: 'full' }), 'README.md')).not.toContain('Draws are uniform');
});

test('names in the README stay text, and its command is one that a shell takes', () => {
  const readme = textOf(facts({ columns: { prompt: HOSTILE, completion: 'answer' } }, { model: HOSTILE, data: HOSTILE }), 'README.md');
  expect(readme.split('\n').some((line) => line.startsWith('- y'))).toBe(false);
  const command = /^ {7}python3 (.*)$/m.exec(readme)![1];
  const { stdout } = spawnSync('sh', ['-c', `printf '%s\\n' ${command}`], { encoding: 'utf8' });
  const plain = HOSTILE.replace('\n', '\ufffd');
  expect(stdout.trimEnd().split('\n')).toEqual(['prepare_data.py', plain, `prompt=${plain}`, 'completion=answer']);
});

const python = spawnSync('python3', ['--version']).status === 0;
if (!python) console.log('skipped: prepare_data.py (there is no python3)');

describe.skipIf(!python)('prepare_data.py', () => {
  const SYSTEM = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'Hello' },
  ];
  const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('\n');
  test.each<[string, string, Partial<RunConfig>]>([
    ['messages.jsonl', lines([{ messages: SYSTEM }, { messages: SYSTEM.slice(1) }]), {}],
    [
      'prompt.jsonl',
      lines([
        { prompt: 'a', completion: 'b' },
        { prompt: SYSTEM.slice(1, 2), completion: SYSTEM.slice(2) },
      ]),
      {},
    ],
    [
      'instruction.jsonl',
      lines([
        { instruction: 'a', output: 'b' },
        { instruction: 'ä\u2028', input: 'c', output: 'd' },
      ]),
      {},
    ],
    ['text.jsonl', lines([{ text: 'one' }, { text: '"two"\nlines' }]), {}],
    ['mapped.jsonl', lines([{ question: 'a', 'the=answer': 'b' }]), { columns: { prompt: 'question', completion: 'the=answer' } }],
    ['table.csv', '\ufeffprompt,completion\n"a, b","c ""d""\ne"\nf,g\n', {}],
    ['plain.txt', 'All of\nit.\n', {}],
  ])('%s: rows as this program reads them', (name, text, { columns = null }) => {
    const at = join(folder.path, name.replace('.', '-'));
    mkdirSync(at);
    writeFileSync(join(at, name), text);
    writeFileSync(join(at, 'prepare_data.py'), textOf(facts(), 'prepare_data.py'));
    const args = Object.entries(columns ?? {}).map(([field, column]) => `${field}=${column}`);
    const { status, stderr } = spawnSync('python3', ['-I', '-S', 'prepare_data.py', name, ...args], { cwd: at, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const { rows } = parseData({ name, text }, { badRows: 'refuse', columns });
    const wanted = rows.map((row) => (row.kind === 'chat' ? { messages: row.messages } : { text: row.text }));
    const made = readFileSync(join(at, 'train.jsonl'), 'utf8').trimEnd().split('\n');
    expect(made.map((line) => JSON.parse(line) as unknown)).toEqual(wanted);
    const lmflow = JSON.parse(readFileSync(join(at, 'lmflow-data', 'train.json'), 'utf8')) as { type: string; instances: object[] };
    expect(lmflow.type).toBe(rows[0].kind === 'chat' ? 'conversation' : 'text_only');
    if (rows[0].kind === 'text') expect(lmflow.instances).toEqual(wanted);
    else
      expect(lmflow.instances[0]).toEqual({
        conversation_id: 0,
        system: name === 'messages.jsonl' ? 'Be brief.' : '',
        tools: [],
        messages: rows[0].messages.filter(({ role }) => role !== 'system'),
      });
  });

  test('rows of other shapes end it by name', () => {
    writeFileSync(join(folder.path, 'prepare_data.py'), textOf(facts(), 'prepare_data.py'));
    writeFileSync(join(folder.path, 'bad.jsonl'), '{"question": "a"}\n');
    const { status, stderr } = spawnSync('python3', ['-I', '-S', 'prepare_data.py', 'bad.jsonl'], { cwd: folder.path, encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr).toContain('it has question');
  });
});
