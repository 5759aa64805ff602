// The delta holds what training changed and nothing else: laid over the base it gives the tuned model, bit for bit.

import { createHash } from 'node:crypto';
import { afterAll, describe, expect, test } from 'vitest';
import type { RunConfig } from '../config/run-config';
import { parseHeader } from '../io/formats/safetensors';
import { collect } from '../testing/tiny-model';
import { temporaryFolder } from '../testing/tiny-folder';
import { openTiny, textRows, TINY_CONFIG, tinyInputs } from '../testing/tiny-session';
import { exportDelta } from './run-delta';
import { exportTuned } from './run';
import type { Session } from '../train/session';

const folder = temporaryFolder('delta');
afterAll(() => folder.remove());

async function trained(change: Partial<RunConfig>): Promise<Session> {
  const config = { ...TINY_CONFIG, steps: 3, evalSplit: 0, saveEvery: 0, sampleTokens: 1, ...change };
  const { session } = await openTiny(await tinyInputs(folder.path, 'tiny-llama', config, textRows(4)));
  await session.run();
  return session;
}

interface DeltaJson {
  readonly base_model: string;
  readonly base_sha256: string;
  readonly method: string;
  readonly steps: number;
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[]; readonly change: number }[];
}

async function deltaOf(session: Session) {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const file of await exportDelta(session)) {
    const bytes = await collect(file.chunks());
    expect(bytes.byteLength).toBe(file.size);
    files.set(file.path, bytes);
  }
  const weights = files.get('delta.safetensors')!;
  return {
    files,
    weights,
    header: parseHeader(weights, weights.byteLength, 'delta'),
    json: JSON.parse(new TextDecoder().decode(files.get('delta.json'))) as DeltaJson,
  };
}

describe('LISA', () => {
  test('over the base it gives the tuned model, and every tensor in it has changed', async () => {
    const session = await trained({ stepsPerPeriod: 3, alwaysOn: { embedding: false, head: false, norm: true } });
    const { engine, inputs } = session;
    const { files, weights, header, json } = await deltaOf(session);
    expect([...files.keys()]).toEqual(['delta.safetensors', 'delta.json']);
    const layers = session.schedule[0].layers;
    for (const row of inputs.files.table) {
      const [base, tuned] = [await inputs.files.tensor(row), await engine.readTensor(row)];
      const name = inputs.files.fileName(row);
      const entry = header.tensors.get(name);
      // What trained: the layers of the only period, and the last norm.
      expect(`${name} ${entry !== undefined}`).toBe(
        `${name} ${row.block === 'norm' || (row.layer !== null && layers.includes(row.layer))}`,
      );
      const over = entry ? new Float32Array(weights.slice(entry.begin, entry.end).buffer) : base;
      expect(Buffer.compare(Buffer.from(over.buffer), Buffer.from(tuned.buffer)), name).toBe(0);
      if (!entry) continue;
      expect([entry.dtype, entry.shape]).toEqual(['F32', row.shape]);
      const told = json.tensors.find((tensor) => tensor.name === name)!;
      expect(told.shape).toEqual(row.shape);
      const change = Math.hypot(...tuned.map((w, i) => w - base[i])) / Math.hypot(...base);
      expect(told.change / change).toBeCloseTo(1, 4);
    }
    expect(json.tensors.length).toBe(header.tensors.size);
    session.close();
  });

  test('says of which base it is, how it was trained and how long', async () => {
    const session = await trained({});
    const { files } = session.inputs;
    const { header, json } = await deltaOf(session);
    const lines: string[] = [];
    for (const row of files.table) {
      const { buffer } = await files.tensor(row);
      lines.push(`${files.fileName(row)} ${createHash('sha256').update(new Uint8Array(buffer)).digest('hex')}`);
    }
    const base_sha256 = createHash('sha256').update(lines.sort().join('\n')).digest('hex');
    expect(json).toMatchObject({ base_model: 'tiny-llama', base_sha256, method: 'lisa', steps: 3 });
    expect(Object.fromEntries(header.metadata)).toEqual({
      format: 'pt',
      base_model: 'tiny-llama',
      base_sha256,
      method: 'lisa',
      steps: '3',
    });
    session.close();
  });
});

test('full: every tensor', async () => {
  const session = await trained({ method: 'full' });
  const { header } = await deltaOf(session);
  expect([...header.tensors.keys()].sort()).toEqual(session.inputs.files.table.map((row) => session.inputs.files.fileName(row)).sort());
  session.close();
});

test('LoRA: the adapter, as the whole export has it', async () => {
  const session = await trained({ method: 'lora', loraRank: 2 });
  const delta = await exportDelta(session);
  expect(delta.map(({ path }) => path)).toEqual(['adapter_model.safetensors', 'adapter_config.json']);
  const whole = (await exportTuned(session, 'f32')).files;
  for (const file of delta) {
    const same = whole.find(({ path }) => path === `adapter/${file.path}`)!;
    expect(Buffer.compare(await collect(file.chunks()), await collect(same.chunks())), file.path).toBe(0);
  }
  session.close();
});
