// Checkpoints that are damaged or belong to another run are refused before they are used; checkpoints on disk survive a kill.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunConfig } from '../config/run-config';
import { NodeCheckpoints } from '../io/node/checkpoints';
import { headerSize, parseHeader, writeSafetensors } from '../io/formats/safetensors';
import { collect } from '../testing/tiny-model';
import { randomStream } from '../base/random';
import { schedule } from '../lisa/schedule';
import { scheduleConfig } from '../plan/input';
import { temporaryFolder } from '../testing/tiny-folder';
import { openTiny, readerOf, textRows, TINY_CONFIG, tinyInputs } from '../testing/tiny-session';
import { checkpointFile, readCheckpointState, type CheckpointState } from './checkpoint';
import type { CheckpointReader } from '../io/formats/checkpoints';
import type { RunInputs } from './prepare';

type Bytes = Uint8Array<ArrayBuffer>;

const folder = temporaryFolder('checkpoint');
afterAll(() => folder.remove());

const CONFIG: RunConfig = {
  ...TINY_CONFIG,
  steps: 2,
  evalSplit: 0,
  prompts: ['a'],
  sampleTokens: 1,
  saveEvery: 1,
  lisaState: 'park',
  stepsPerPeriod: 1,
  lisaLayers: 2,
};
const ROWS = textRows(4);
const inputsOf = (change: Partial<RunConfig> = {}, rows = ROWS): Promise<RunInputs> =>
  tinyInputs(folder.path, 'tiny-llama', { ...CONFIG, ...change }, rows);

let inputs: RunInputs;
let saved: Bytes;
let dataStart: number;
beforeAll(async () => {
  inputs = await inputsOf();
  const { host, session } = await openTiny(inputs);
  await session.run();
  session.close();
  saved = host.checkpoints.files.get(2)!;
  dataStart = headerSize(saved, saved.byteLength, 'checkpoint');
}, 120_000);

/** The code with which a session refuses a checkpoint; 'accepted' if it does not. */
async function outcome(of: RunInputs, reader: CheckpointReader): Promise<string> {
  try {
    await readCheckpointState(reader);
    const { session } = await openTiny(of, reader);
    session.close();
    return 'accepted';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

const changed = (at: number, by = 1): Bytes => {
  const bytes = saved.slice();
  bytes[at] ^= by;
  return bytes;
};

test('an unchanged one is accepted, and tells what a resume needs before the GPU is touched', async () => {
  const state = await readCheckpointState(readerOf(saved));
  expect(state.config).toEqual(CONFIG);
  expect(state.trainer.step).toBe(2);
  const drawn = schedule(scheduleConfig(inputs.files.shape, CONFIG));
  expect(state.trainer.slots.map(({ layer }) => layer)).toEqual(expect.arrayContaining([...drawn[1].layers]));
  // Which layers train follows from the settings, so it is not written down a second time.
  expect(state).not.toHaveProperty('schedule');
  expect(await outcome(inputs, readerOf(saved))).toBe('accepted');
});

test('one that also holds its schedule, as early files of this version did, is accepted', async () => {
  const { session } = await openTiny(inputs, readerOf(saved));
  const state = { ...(await readCheckpointState(readerOf(saved))), schedule: session.schedule };
  const host = { parked: session.state.parked, before: new Map<number, Bytes>() };
  const bytes = await collect(checkpointFile(session.engine, host, state).chunks());
  session.close();
  expect(await readCheckpointState(readerOf(bytes))).toHaveProperty('schedule');
  expect(await outcome(inputs, readerOf(bytes))).toBe('accepted');
});

describe('damage', () => {
  test('cut short anywhere', async () => {
    const ends = [
      0,
      4,
      8,
      9,
      dataStart >> 1,
      dataStart - 1,
      dataStart,
      dataStart + 4,
      saved.byteLength >> 1,
      saved.byteLength - 4,
      saved.byteLength - 1,
    ];
    for (const end of ends) {
      expect(`${end}: ${await outcome(inputs, readerOf(saved.slice(0, end)))}`).toBe(`${end}: CHECKPOINT_CORRUPT`);
    }
  });

  test('extra bytes at its end', async () => {
    const longer = new Uint8Array(saved.byteLength + 4);
    longer.set(saved);
    expect(await outcome(inputs, readerOf(longer))).toBe('CHECKPOINT_CORRUPT');
  });

  test('one bit of the weights that a period began with', async () => {
    const of = await inputsOf({ stepsPerPeriod: 3 });
    const { host, session } = await openTiny(of);
    await session.run();
    session.close();
    const bytes = host.checkpoints.files.get(2)!;
    const { tensors } = parseHeader(bytes, bytes.byteLength, 'checkpoint');
    const kept = [...tensors.values()].filter(({ name }) => name.startsWith('before/'));
    expect(kept.length).toBe(2);
    expect(await outcome(of, readerOf(bytes))).toBe('accepted');
    bytes[kept[1].begin + 5] ^= 2;
    expect(await outcome(of, readerOf(bytes))).toBe('CHECKPOINT_CORRUPT');
  });

  test('one of another version; but one with the settings of an older version is resumed', async () => {
    const { dedupe: _, stepsPerPeriod: lisaPeriod, alwaysOn: lisaTrain, weightStorage: weights, ...rest } = CONFIG;
    const older = { ...rest, lisaPeriod, lisaTrain, weights };
    const cases = [
      [{ version: 1 }, 'CHECKPOINT_CORRUPT'],
      [{ config: older }, 'accepted'],
    ] as const;
    for (const [change, expected] of cases) {
      const state = { ...(await readCheckpointState(readerOf(saved))), ...change } as unknown as CheckpointState;
      const { session } = await openTiny(inputs);
      const bytes = await collect(checkpointFile(session.engine, { parked: new Map(), before: new Map() }, state).chunks());
      session.close();
      expect(await outcome(inputs, readerOf(bytes))).toBe(expected);
      if (expected === 'accepted') expect((await readCheckpointState(readerOf(bytes))).config).toEqual(CONFIG);
    }
  });

  test('one bit anywhere in weights, optimizer state, parked state and checksums', async () => {
    const { tensors } = parseHeader(saved, saved.byteLength, 'checkpoint');
    const random = randomStream(5, 'damage');
    for (const kind of ['weights/', 'm/', 'v/', 'parked/', '~']) {
      const { name, begin, end } = [...tensors.values()].find((tensor) => tensor.name.startsWith(kind))!;
      const at = begin + random.nextBelow(end - begin);
      expect(`${name}: ${await outcome(inputs, readerOf(changed(at, 1 << random.nextBelow(8))))}`).toBe(`${name}: CHECKPOINT_CORRUPT`);
    }
  });

  test('one bit anywhere in the header', async () => {
    const random = randomStream(6, 'damage');
    const seen = new Map<string, number>();
    for (let i = 0; i < 60; i++) {
      const code = await outcome(inputs, readerOf(changed(random.nextBelow(dataStart), 1 << random.nextBelow(8))));
      seen.set(code, (seen.get(code) ?? 0) + 1);
    }
    expect(Object.fromEntries(seen)).toEqual({ CHECKPOINT_CORRUPT: 60 });
  });

  test('a digit of the state', async () => {
    const text = new TextDecoder('latin1').decode(saved.subarray(0, dataStart));
    const at = text.indexOf(String.raw`\"step\":2`) + 9;
    expect(at).toBeGreaterThan(9);
    expect(await outcome(inputs, readerOf(changed(at)))).toBe('CHECKPOINT_CORRUPT');
  });

  test('a safetensors file that is not a checkpoint', async () => {
    const file = await collect(writeSafetensors([{ name: 'x', dtype: 'f32', shape: [1], data: () => new Float32Array(1) }]).chunks());
    expect(await outcome(inputs, readerOf(file))).toBe('CHECKPOINT_CORRUPT');
  });

  test('a refused checkpoint leaves nothing on the GPU', async () => {
    const { gpu } = await import('../testing/node-lab').then(({ nodeLab }) => nodeLab());
    const alive = new Set<GPUBuffer>();
    const create = gpu.device.createBuffer.bind(gpu.device);
    gpu.device.createBuffer = (descriptor) => {
      const buffer = create(descriptor);
      alive.add(buffer);
      const destroy = buffer.destroy.bind(buffer);
      buffer.destroy = () => {
        alive.delete(buffer);
        return destroy();
      };
      return buffer;
    };
    try {
      expect(await outcome(inputs, readerOf(changed(saved.byteLength - 1)))).toBe('CHECKPOINT_CORRUPT');
    } finally {
      gpu.device.createBuffer = create;
    }
    expect(alive.size).toBe(0);
  });
});

describe('another run', () => {
  test.each<[string, () => Promise<RunInputs>]>([
    ['other rows', () => inputsOf({}, textRows(5))],
    ['the same rows in another order', () => inputsOf({}, reversed())],
    ['the same rows cut to another length', () => inputsOf({ seqLen: 5 })],
    ['other held-out rows', () => inputsOf({ evalSplit: 0.3 })],
    ['a model of another shape', () => tinyInputs(folder.path, 'tiny-gpt2', CONFIG, ROWS)],
    ['more layers at a time', () => inputsOf({ lisaLayers: 3 })],
    ['fewer layers at a time', () => inputsOf({ lisaLayers: 1 })],
    ['other always-on tensors', () => inputsOf({ alwaysOn: { embedding: true, head: false, norm: true }, seed: 1 })],
    ['LoRA', () => inputsOf({ method: 'lora' })],
    ['full', () => inputsOf({ method: 'full' })],
  ])('%s', async (_, make) => {
    expect(await outcome(await make(), readerOf(saved))).toBe('CHECKPOINT_MISMATCH');
  });

  test('a model of the same shape with other weights', async () => {
    const files = {
      ...inputs.files,
      async *pieces() {
        for await (const { row, start, data } of inputs.files.pieces())
          yield { row, start, data: row.name === 'model.layers.1.mlp.up_proj.weight' ? data.map((v) => v + 0.001) : data };
      },
    };
    expect(await outcome({ ...inputs, files }, readerOf(saved))).toBe('CHECKPOINT_MISMATCH');
  });
});

function reversed(): typeof ROWS {
  const lines = new TextDecoder().decode(ROWS.bytes).trim().split('\n').reverse();
  return { name: ROWS.name, bytes: new TextEncoder().encode(`${lines.join('\n')}\n`) };
}

describe('on disk', () => {
  const file = (text: string) => writeSafetensors([{ name: 'x', dtype: 'f32', shape: [1], data: () => new Float32Array(1) }], { text });
  const whole = async (reader: CheckpointReader | null): Promise<string> =>
    new TextDecoder('latin1').decode(await reader!.read(0, reader!.size));
  let next = 0;
  const fresh = (): { store: NodeCheckpoints; at: string } => {
    mkdirSync(join(folder.path, 'store'), { recursive: true });
    const at = join(folder.path, 'store', String(next++));
    return { store: new NodeCheckpoints(at), at };
  };

  test('the latest one opens, and earlier ones are removed', async () => {
    const { store, at } = fresh();
    expect(await store.open()).toBeNull();
    await store.write(1, file('first'));
    expect(await whole(await store.open())).toContain('first');
    await store.write(12, file('second'));
    expect(await whole(await store.open())).toContain('second');
    expect(readdirSync(at).sort()).toEqual(['latest.json', 'step-12.safetensors']);
    await store.clear();
    expect(await store.open()).toBeNull();
  });

  test('a kill while the next one is written leaves the previous one', async () => {
    const { store, at } = fresh();
    await store.write(1, file('first'));
    // Before the rename, and between the rename and the pointer.
    for (const left of ['step-2.safetensors.tmp', 'step-2.safetensors']) {
      writeFileSync(join(at, left), readFileSync(join(at, 'step-1.safetensors')).subarray(0, 20));
      expect(await whole(await store.open())).toContain('first');
    }
    await store.write(3, file('third'));
    expect(readdirSync(at).sort()).toEqual(['latest.json', 'step-3.safetensors']);
  });

  test('a write that fails half-way leaves the previous one and no partial file', async () => {
    const { store, at } = fresh();
    await store.write(1, file('first'));
    const failing = {
      size: 100,
      // oxlint-disable-next-line typescript/require-await
      async *chunks(): AsyncGenerator<Bytes> {
        yield new Uint8Array(10);
        throw new Error('the device went away');
      },
    };
    await expect(store.write(2, failing)).rejects.toMatchObject({
      code: 'STORAGE',
      detail: expect.stringContaining('the device went away') as string,
    });
    expect(readdirSync(at).sort()).toEqual(['latest.json', 'step-1.safetensors']);
    expect(await whole(await store.open())).toContain('first');
  });

  test.each(['{"file": "step-9.safetensors"}', '{"file": "../step-1.safetensors"}', '{', ''])('a pointer %j is damage', async (text) => {
    const { store, at } = fresh();
    await store.write(1, file('first'));
    writeFileSync(join(at, 'latest.json'), text);
    await expect(store.open()).rejects.toMatchObject({ code: 'CHECKPOINT_CORRUPT' });
  });

  test('a file that shrinks after it was opened is damage', async () => {
    const { store, at } = fresh();
    await store.write(1, file('first'));
    const reader = (await store.open())!;
    writeFileSync(join(at, 'step-1.safetensors'), 'short');
    await expect(reader.read(0, reader.size)).rejects.toMatchObject({ code: 'CHECKPOINT_CORRUPT' });
  });

  test('the error for a folder that cannot be written names its path', async () => {
    const at = join(folder.path, 'a-file');
    mkdirSync(folder.path, { recursive: true });
    writeFileSync(at, '');
    await expect(new NodeCheckpoints(join(at, 'checkpoint')).write(1, file('x'))).rejects.toMatchObject({
      code: 'STORAGE',
      detail: expect.stringContaining(at) as string,
    });
    rmSync(at);
  });
});
