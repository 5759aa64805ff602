// Checkpoints and sources in the browser's private file system, on one in memory.

import { describe, expect, test } from 'vitest';
import { FakeOpfs } from '../../testing/fake-opfs';
import { OpfsCheckpoints } from './opfs-checkpoints';
import { OpfsSources } from './opfs-sources';
import { writeSafetensors, type SafetensorsFile } from '../formats/safetensors';

const fileOf = (value: number, count = 1): SafetensorsFile =>
  writeSafetensors([{ name: 'x', dtype: 'f32', shape: [count], data: () => new Float32Array(count).fill(value) }]);

async function valueIn(store: OpfsCheckpoints): Promise<number | null> {
  const reader = await store.open();
  return reader && new Float32Array((await reader.read(reader.size - 4, reader.size)).slice().buffer)[0];
}

function checkpoints() {
  const opfs = new FakeOpfs();
  return { opfs, store: new OpfsCheckpoints('checkpoint', opfs.storage) };
}

const broken = (size: number, fail: () => void): SafetensorsFile => ({
  size,
  // oxlint-disable-next-line typescript/require-await
  async *chunks() {
    yield new Uint8Array(8);
    fail();
    yield new Uint8Array(size - 8);
  },
});

describe('checkpoints', () => {
  test('two files take turns; the last one written is what opens', async () => {
    const { opfs, store } = checkpoints();
    expect(await valueIn(store)).toBeNull();
    for (const value of [1, 2, 3]) {
      await store.write(value, fileOf(value));
      expect(await valueIn(store)).toBe(value);
    }
    expect(opfs.paths).toEqual(['checkpoint/a.safetensors', 'checkpoint/b.safetensors', 'checkpoint/latest.json']);
    await store.clear();
    expect(opfs.paths).toEqual([]);
    await store.clear();
    expect(await valueIn(store)).toBeNull();
  });

  test('a crash while the next is written leaves the one before', async () => {
    const { opfs, store } = checkpoints();
    await store.write(1, fileOf(1));
    // Everything that a crash in the middle leaves: half of the other file, the pointer as it was.
    opfs.root.folders.get('checkpoint')!.files.set('b.safetensors', new Uint8Array(5));
    expect(await valueIn(store)).toBe(1);
    await store.write(2, fileOf(2));
    expect(await valueIn(store)).toBe(2);
  });

  test('a checkpoint that could not be read from the GPU leaves the one before, and its own error', async () => {
    const { opfs, store } = checkpoints();
    await store.write(1, fileOf(1));
    const failing = broken(100, () => {
      throw new Error('the device went away');
    });
    await expect(store.write(2, failing)).rejects.toMatchObject({
      code: 'STORAGE',
      detail: 'The browser could not store a checkpoint: the device went away.',
    });
    expect(opfs.paths).toEqual(['checkpoint/a.safetensors', 'checkpoint/latest.json']);
    expect(await valueIn(store)).toBe(1);
  });

  test.each([true, false])(
    'no room (a write takes a part: %s): says what is needed and what is free, and keeps the one before',
    async (part) => {
      const { opfs, store } = checkpoints();
      await store.write(1, fileOf(1));
      opfs.quota = 3_000_000;
      opfs.takesPart = part;
      await expect(store.write(2, fileOf(2, 1_000_000))).rejects.toMatchObject({
        code: 'STORAGE',
        detail: 'The browser has no space for a checkpoint (4.0 MB); about 3.0 MB are free.',
        remedy: expect.stringContaining('ontinue without checkpoints') as string,
      });
      expect(opfs.paths).toEqual(['checkpoint/a.safetensors', 'checkpoint/latest.json']);
      expect(await valueIn(store)).toBe(1);
      opfs.quota = 5_000_000;
      await store.write(3, fileOf(3, 1_000_000));
      expect(await valueIn(store)).toBe(3);
    },
  );

  test('a pointer to nothing, or no pointer, opens nothing', async () => {
    const { opfs, store } = checkpoints();
    await store.write(1, fileOf(1));
    const { files } = opfs.root.folders.get('checkpoint')!;
    for (const text of ['', '{', '{"file": "../a.safetensors"}', '{"file": "b.safetensors"}']) {
      files.set('latest.json', new TextEncoder().encode(text));
      expect(await store.open()).toBeNull();
    }
    files.delete('latest.json');
    expect(await store.open()).toBeNull();
  });
});

describe('sources', () => {
  const mine = (text: string, name = 'mine.jsonl') => ({ kind: 'file', file: new File([text], name) }) as const;

  function sources() {
    const opfs = new FakeOpfs();
    return { opfs, store: new OpfsSources('sources', opfs.storage) };
  }

  test('a data file comes back with its name and its bytes, a folder with its name', async () => {
    const { store } = sources();
    expect(await store.open('a')).toBeNull();
    await store.keep('a', { model: { kind: 'files', name: 'tiny' }, data: mine('{"text": "one"}\n') });
    await store.keep('b', { model: { kind: 'builtin', id: 'm' }, data: { kind: 'builtin', id: 'd' } });
    const kept = (await store.open('a'))!;
    expect(kept.model).toEqual({ kind: 'files', name: 'tiny' });
    if (kept.data.kind !== 'file') throw new Error('no file');
    expect([kept.data.file.name, await kept.data.file.text()]).toEqual(['mine.jsonl', '{"text": "one"}\n']);
    expect(await store.open('b')).toEqual({ model: { kind: 'builtin', id: 'm' }, data: { kind: 'builtin', id: 'd' } });
  });

  test('a held-out file is kept beside the data', async () => {
    const { store, opfs } = sources();
    const data = { ...mine('rows'), heldOut: new File(['others'], 'eval.csv') };
    await store.keep('a', { model: { kind: 'builtin', id: 'm' }, data });
    expect(opfs.paths).toEqual(['sources/a/data', 'sources/a/held-out', 'sources/a/sources.json']);
    const kept = (await store.open('a'))!.data;
    if (kept.kind !== 'file' || !kept.heldOut) throw new Error('no files');
    expect([await kept.file.text(), kept.heldOut.name, await kept.heldOut.text()]).toEqual(['rows', 'eval.csv', 'others']);
  });

  test('are removed by run', async () => {
    const { opfs, store } = sources();
    for (const runId of ['a', 'b', 'c']) await store.keep(runId, { model: { kind: 'builtin', id: 'm' }, data: mine(runId) });
    await store.remove('b');
    await store.remove('never there');
    expect(opfs.paths).toEqual(['sources/a/data', 'sources/a/sources.json', 'sources/c/data', 'sources/c/sources.json']);
    await store.keepOnly('c');
    expect(opfs.paths).toEqual(['sources/c/data', 'sources/c/sources.json']);
  });

  test('a copy that a crash cut short is none', async () => {
    const { opfs, store } = sources();
    await store.keep('a', { model: { kind: 'builtin', id: 'm' }, data: mine('text') });
    opfs.root.folders.get('sources')!.folders.get('a')!.files.delete('sources.json');
    expect(await store.open('a')).toBeNull();
  });

  test('no room: says so, and leaves no half of a copy', async () => {
    const { opfs, store } = sources();
    opfs.quota = 1_000;
    await expect(store.keep('a', { model: { kind: 'builtin', id: 'm' }, data: mine('x'.repeat(2_000_000)) })).rejects.toMatchObject({
      code: 'STORAGE',
      detail: expect.stringMatching(/^The browser has no space for a copy of mine\.jsonl \(2\.0 MB\); about 0\.0 MB are free\.$/) as string,
    });
    expect(opfs.paths).toEqual([]);
  });
});
