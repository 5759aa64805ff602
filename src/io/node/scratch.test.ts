import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../testing/tiny-folder';
import { nodeScratch } from './scratch';

test('what is written is read again, at any place; nothing is left behind', async () => {
  const folder = temporaryFolder('scratch');
  try {
    // The run's own folder need not exist yet, and is not made.
    const scratch = await nodeScratch(join(folder.path, 'out', 'deep'))(1000);
    await scratch.write(5000, Uint8Array.of(1, 2, 3));
    await scratch.write(0, Uint8Array.of(9));
    expect([...(await scratch.read(5001, 2))]).toEqual([2, 3]);
    expect([...(await scratch.read(0, 1))]).toEqual([9]);
    expect((await scratch.read(5002, 10)).byteLength).toBe(1);
    await scratch.close();
    expect(readdirSync(folder.path)).toEqual([]);
  } finally {
    folder.remove();
  }
});

test('a disk without room is refused before the start, with the bytes', async () => {
  const folder = temporaryFolder('scratch');
  try {
    await expect(nodeScratch(folder.path)(1e18)).rejects.toMatchObject({
      code: 'STORAGE',
      detail: expect.stringContaining('1000000000000.0 MB') as string,
    });
    expect(readdirSync(folder.path)).toEqual([]);
  } finally {
    folder.remove();
  }
});
