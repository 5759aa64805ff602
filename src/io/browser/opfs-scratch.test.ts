import { expect, test } from 'vitest';
import { FakeOpfs } from '../../testing/fake-opfs';
import { opfsScratch } from './opfs-scratch';

test('what is written is read again; files of closed tabs are removed, and its own at the end', async () => {
  const opfs = new FakeOpfs();
  await opfsScratch('scratch', opfs.storage)(100);
  const [left] = opfs.paths;
  const scratch = await opfsScratch('scratch', opfs.storage)(100);
  expect(opfs.paths).toHaveLength(1);
  expect(opfs.paths).not.toContain(left);
  await scratch.write(0, Uint8Array.of(1, 2, 3, 4));
  await scratch.write(2, Uint8Array.of(9));
  expect([...(await scratch.read(1, 3))]).toEqual([2, 9, 4]);
  await scratch.close();
  expect(opfs.paths).toEqual([]);
});

test('no room is told before the start, with the bytes', async () => {
  const opfs = new FakeOpfs();
  opfs.quota = 5e6;
  await expect(opfsScratch('scratch', opfs.storage)(6e6)).rejects.toMatchObject({
    code: 'STORAGE',
    detail: 'The browser has no space for the full-precision weights of trained layers (6.0 MB); about 5.0 MB are free.',
  });
  expect(opfs.paths).toEqual([]);
});
