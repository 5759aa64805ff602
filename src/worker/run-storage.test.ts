import { describe, expect, test } from 'vitest';
import { AppError } from '../base/errors';
import { writeSafetensors } from '../io/formats/safetensors';
import type { Exclusive } from '../io/browser/tab-lock';
import { OpfsFinished } from '../io/browser/opfs-finished';
import { FakeOpfs } from '../testing/fake-opfs';
import { MemorySources } from '../testing/tiny-service';
import { MemoryCheckpoints } from '../testing/tiny-session';
import type { DataSource } from '../io/sources/run-sources';
import { keptSources, MOST_KEPT_BYTES, RunCheckpoints } from './run-storage';

const FILE = writeSafetensors([{ name: 'x', dtype: 'f32', shape: [1], data: () => new Float32Array(1) }]);
const dataOf = (size: number): DataSource => ({ kind: 'file', file: { name: 'mine.jsonl', size } as File });

/** A lock that this tab can have, or that another tab has. */
function lockOf(): Exclusive & { other: boolean; held: boolean } {
  return {
    other: false,
    held: false,
    acquire() {
      this.held = !this.other;
      return Promise.resolve(this.held);
    },
    free() {
      return Promise.resolve(!this.other);
    },
    release() {
      this.held = false;
    },
  };
}

function storage() {
  const parts = {
    checkpoints: new MemoryCheckpoints(),
    sources: new MemorySources(),
    lock: lockOf(),
    finished: new OpfsFinished('finished', new FakeOpfs().storage),
  };
  const run = (runId: string, size = 10, resumed = false): RunCheckpoints =>
    new RunCheckpoints(parts, runId, keptSources({ kind: 'files', name: 'folder', files: [] }, dataOf(size)), resumed);
  return { ...parts, run };
}

describe('a checkpoint and what belongs to it', () => {
  test('the first checkpoint of a run takes the place of another run and of its sources', async () => {
    const { run, sources, checkpoints } = storage();
    const [a, b] = [run('a'), run('b')];
    await a.keepSources();
    await a.write(1, FILE);
    await b.keepSources();
    expect([...sources.kept.keys()]).toEqual(['a', 'b']);
    expect(await b.open()).toBeNull();
    await b.write(1, FILE);
    expect([...sources.kept.keys()]).toEqual(['b']);
    await b.clear();
    expect([...sources.kept.keys()]).toEqual([]);
    expect(await checkpoints.open()).toBeNull();
  });

  test('for a folder only its name is kept, for a file the file itself', async () => {
    const { run, sources } = storage();
    await run('a').keepSources();
    expect(await sources.open('a')).toEqual({ model: { kind: 'files', name: 'folder' }, data: dataOf(10) });
  });

  test('a run that saved nothing takes away its sources and nobody else’s checkpoint', async () => {
    const { run, sources, checkpoints } = storage();
    await run('a').write(1, FILE);
    const b = run('b');
    await b.keepSources();
    await b.release();
    expect([...sources.kept.keys()]).toEqual(['a']);
    await run('c').clear();
    expect(await checkpoints.open()).not.toBeNull();
    // A run that resumes from it owns it.
    const again = run('a', 10, true);
    expect(await again.open()).not.toBeNull();
    await again.release();
    expect(await checkpoints.open()).not.toBeNull();
    await again.clear();
    expect(await checkpoints.open()).toBeNull();
  });

  test('a data file that is too large to keep refuses the checkpoint and says so; the one before stays', async () => {
    const { run, sources, checkpoints } = storage();
    await run('a').write(1, FILE);
    const large = run('b', MOST_KEPT_BYTES + 1);
    await expect(large.write(1, FILE)).rejects.toMatchObject({
      code: 'STORAGE',
      detail: expect.stringMatching(/^mine\.jsonl has 100\.0 MB/) as string,
    });
    expect([...checkpoints.files.keys()]).toEqual([1]);
    expect([...sources.kept.keys()]).toEqual(['a']);
    await run('c', MOST_KEPT_BYTES).write(1, FILE);
  });

  test('sources that could not be kept at the start are tried again with the checkpoint', async () => {
    const { run, sources, checkpoints } = storage();
    const keep = sources.keep.bind(sources);
    sources.keep = () => Promise.reject(new AppError('STORAGE', 'No room.', ''));
    const a = run('a');
    await expect(a.keepSources()).rejects.toThrow('No room');
    await expect(a.write(1, FILE)).rejects.toThrow('No room');
    expect(checkpoints.files.size).toBe(0);
    sources.keep = keep;
    await a.write(2, FILE);
    expect([...sources.kept.keys()]).toEqual(['a']);
  });

  test('while another tab has a run there, nothing is written, and the reason is told; a run holds the place until it ends', async () => {
    const { run, checkpoints, sources, lock } = storage();
    lock.other = true;
    await expect(run('a').write(1, FILE)).rejects.toMatchObject({
      code: 'STORAGE',
      detail: expect.stringContaining('Another tab') as string,
    });
    expect([checkpoints.files.size, sources.kept.size]).toEqual([0, 0]);
    lock.other = false;
    const a = run('a');
    await a.write(1, FILE);
    expect(lock.held).toBe(true);
    await a.release();
    expect([lock.held, checkpoints.files.size]).toEqual([false, 1]);
    const again = run('a', 10, true);
    await again.write(2, FILE);
    expect(lock.held).toBe(true);
    await again.clear();
    expect(lock.held).toBe(false);
  });
});
