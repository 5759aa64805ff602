// What a program for Node does if there is no GPU: it looks, installs a software driver, looks again, and gives up with
// one line.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ensureGpu } from './gpu-env.mjs';

const lines: string[] = [];
const none = { env: {}, adapter: null };
const software = { env: { VK_ICD_FILENAMES: '/somewhere/vk_swiftshader_icd.json' }, adapter: 'SwiftShader' };

beforeEach(() => {
  lines.length = 0;
  vi.stubEnv('VK_ICD_FILENAMES', undefined);
  vi.stubEnv('VK_DRIVER_FILES', undefined);
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => lines.push(String(text)) > 0);
});

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

test('an adapter that answers is used, and nothing is installed', async () => {
  const install = vi.fn(() => Promise.resolve('/usr/bin/chromium'));
  expect(await ensureGpu(() => Promise.resolve(software), install)).toEqual(software.env);
  expect(install).not.toHaveBeenCalled();
  expect(lines).toEqual([]);
});

test.runIf(process.platform === 'linux')('if none answers, Chromium is installed for its driver, and tried again', async () => {
  const answers = [none, software];
  const install = vi.fn(() => Promise.resolve('/usr/bin/chromium'));
  expect(await ensureGpu(() => Promise.resolve(answers.shift()!), install)).toEqual(software.env);
  expect(install).toHaveBeenCalledTimes(1);
  expect(lines).toEqual([]);
});

test('if nothing helps, it ends with one line that a terminal user understands', async () => {
  expect(
    await ensureGpu(
      () => Promise.resolve(none),
      () => Promise.resolve(null),
    ),
  ).toBeNull();
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^No GPU: .*driver.*\n$/);
  expect(lines[0]).not.toMatch(/browser settings|reload/i);
});

test('a driver that the user chose is not replaced behind their back', async () => {
  vi.stubEnv('VK_ICD_FILENAMES', '/nowhere/icd.json');
  const install = vi.fn(() => Promise.resolve('/usr/bin/chromium'));
  expect(await ensureGpu(() => Promise.resolve(none), install)).toBeNull();
  expect(install).not.toHaveBeenCalled();
  expect(lines.join('')).toContain('/nowhere/icd.json');
});
