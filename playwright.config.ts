// Browser tests: the built page, served as `npm start` serves it, in the Chromium that the machine has.
// WebGPU runs on SwiftShader everywhere, so a test sees the same device on a laptop and on a build server.

import { createServer, type AddressInfo } from 'node:net';
import { defineConfig } from '@playwright/test';
import { findChromium } from './scripts/chromium.mjs';

// Chosen once: the worker processes read this file again and must come to the same address.
process.env.LISA_TEST_PORT ??= String(await freePort());
const port = Number(process.env.LISA_TEST_PORT);
const url = `http://127.0.0.1:${port}/`;
const asRoot = process.getuid?.() === 0;

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results/e2e',
  // One page at a time: the software GPU uses every core by itself.
  workers: 1,
  forbidOnly: Boolean(process.env.CI),
  timeout: 180_000,
  expect: { timeout: 30_000 },
  reporter: 'list',
  webServer: { command: `node scripts/serve.mjs ${port}`, url, stdout: 'ignore' },
  use: {
    baseURL: url,
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: findChromium() ?? undefined,
      args: [
        '--headless=new',
        '--enable-unsafe-webgpu',
        '--use-webgpu-adapter=swiftshader',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-default-apps',
        '--disable-sync',
        '--no-first-run',
        ...(asRoot ? ['--no-sandbox'] : []),
      ],
    },
  },
});

/** A port of 127.0.0.1 that is free at this moment. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port: found } = server.address() as AddressInfo;
      server.close(() => resolve(found));
    });
  });
}
