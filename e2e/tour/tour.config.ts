// `npm run tour`: not part of the tests. Walks through every screen in light, dark and narrow, keeps the pictures and prints
// the figures: accessibility, long tasks while training, the newcomer's path, the size of the first load.

import base from '../../playwright.config';
import { defineConfig } from '@playwright/test';

export default defineConfig({
  ...base,
  testDir: '.',
  testMatch: '*.tour.ts',
  outputDir: '../../test-results/tour-traces',
  timeout: 900_000,
  webServer: {
    command: `node scripts/serve.mjs ${process.env.LISA_TEST_PORT}`,
    cwd: '../..',
    url: base.use?.baseURL ?? '',
    stdout: 'ignore',
  },
  use: { ...base.use, trace: 'off', actionTimeout: 30_000 },
});
