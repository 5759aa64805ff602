// The programs that run in Node, each with all it needs in one file or few; only Dawn stays a package of its own.

import { existsSync } from 'node:fs';
import { defineConfig } from 'vite';

const PROGRAMS = ['finetune', 'apply-delta', 'forecast', 'bench', 'experiment', 'importance', 'check-device', 'big-shapes', 'record'];

export default defineConfig({
  build: {
    ssr: true,
    target: 'node20',
    outDir: 'dist-node',
    copyPublicDir: false,
    minify: false,
    sourcemap: true,
    rollupOptions: {
      input: PROGRAMS.map((name) => `src/cli/${name}.ts`).filter((file) => existsSync(file)),
      // Beside the programs: what they share finds the public folder from where it lies.
      output: { chunkFileNames: '[name]-[hash].js' },
    },
  },
  ssr: { noExternal: true, external: ['webgpu'] },
});
