// Unit and GPU tests, in Node. WebGPU is Dawn (npm `webgpu`); `npm run test:unit` gives it a driver.

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.{ts,tsx}', 'tools/**/*.test.ts', 'scripts/**/*.test.ts'],
    pool: 'forks',
    // One GPU process at a time: the software adapter uses every core by itself.
    fileParallelism: false,
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
