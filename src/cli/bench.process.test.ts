// The other libraries that `npm run bench` compares with are installed by npm, a program of its own.

import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { installPeers } from './bench/peers';

test('other libraries that cannot be installed give one sentence, not a crash', async () => {
  // No package.json there: npm fails at once, without a network.
  const folder = mkdtempSync(join(tmpdir(), 'lisa-peers-'));
  try {
    const missing = await installPeers(folder);
    expect(missing).toMatchObject({ code: 'STORAGE' });
    expect(missing!.message.split('\n')).toHaveLength(1);
    expect(existsSync(join(folder, 'node_modules'))).toBe(false);
    mkdirSync(join(folder, 'node_modules'));
    writeFileSync(join(folder, 'node_modules', '.package-lock.json'), '{}');
    expect(await installPeers(folder)).toBeNull();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
