// Tests in Node, by the names of their files:
//
//   x.test.ts          pure: no device, no other program. Files run in parallel; src/testing/pure-guard.ts holds them to it.
//   x.gpu.test.ts      opens a device. WebGPU is Dawn (npm `webgpu`); `npm run test:unit` gives it a driver. One file after another in
//                      one process: the software adapter uses every core by itself, and all share a device and its compiled kernels.
//   x.process.test.ts  starts programs of its own; runs with those.

import path from 'node:path';
import { defineConfig } from 'vitest/config';

const SERIAL = ['**/*.gpu.test.{ts,tsx}', '**/*.process.test.ts'];
const at = (file: string): string => path.join(import.meta.dirname, 'src/testing', file);

export default defineConfig({
  test: {
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        resolve: { alias: { webgpu: at('no-webgpu.ts') } },
        test: {
          name: 'pure',
          include: ['{src,tools,scripts}/**/*.test.{ts,tsx}'],
          exclude: [...SERIAL, '**/node_modules/**'],
          setupFiles: [at('pure-guard.ts')],
          pool: 'threads',
          maxWorkers: '100%',
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'gpu',
          include: SERIAL.map((files) => `{src,tools,scripts}/${files}`),
          pool: 'forks',
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
