// The page: one HTML file, hashed assets, one module worker; it works from any folder of any static server.

import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { staticHost } from './scripts/page/plugin.mjs';

export default defineConfig({
  base: './',
  plugins: [react(), staticHost()],
  worker: { format: 'es' },
  build: {
    // Every browser with WebGPU understands it.
    target: 'es2023',
    sourcemap: true,
    // The server's security policy allows neither inline scripts nor data: addresses for code and fonts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    license: { fileName: 'licenses.md' },
    chunkSizeWarningLimit: 800,
  },
});
