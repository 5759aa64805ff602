// The page that scripts/chart-bench.mjs opens; no part of the product.

import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  root: 'e2e/bench',
  base: './',
  publicDir: false,
  plugins: [react()],
  build: { target: 'es2023', emptyOutDir: true, modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
});
