// @ts-check
// llama.cpp in headless Chromium, through @wllama/wllama: a page of two lines on loopback, one thread.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { chromium } from '@playwright/test';
import { findChromium } from '../../scripts/chromium.mjs';

const WLLAMA = fileURLToPath(new URL('./node_modules/@wllama/wllama/esm/', import.meta.url));
const PAGE = '<!doctype html><meta charset="utf-8"><title>judge</title>';

/** Opens the browser with the first question. */
export function browserJudge() {
  /** @type {Promise<import('@playwright/test').Browser> | null} */
  let opened = null;
  return {
    /**
     * Loads a GGUF file and continues the prompt greedily.
     * @param {string} file
     * @param {string} prompt
     * @param {number} tokens
     */
    async answer(file, prompt, tokens) {
      opened ??= chromium.launch({
        executablePath: findChromium() ?? undefined,
        args: ['--headless=new', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
      });
      const server = await serve(file);
      const page = await (await opened).newPage();
      try {
        await page.goto(server.url);
        return await page.evaluate(question, { prompt, tokens });
      } finally {
        await page.close();
        server.close();
      }
    },
    close: async () => (await opened)?.close(),
  };
}

/**
 * Runs in the page.
 * @param {{ prompt: string, tokens: number }} asked
 */
async function question({ prompt, tokens }) {
  const { Wllama } = await import(/** @type {string} */ ('/wllama/index.js'));
  const wllama = new Wllama({ default: '/wllama/wasm/wllama.wasm' }, { suppressNativeLog: true });
  const model = await (await fetch('/model.gguf')).blob();
  await wllama.loadModel([model], {
    n_ctx: 512,
    n_threads: 1,
    n_gpu_layers: 0,
    cache_type_k: 'f32',
    cache_type_v: 'f32',
    flash_attn: false,
    warmup: false,
  });
  const { choices } = await wllama.createCompletion({ prompt, max_tokens: tokens, temperature: 0, logprobs: 1 });
  const [{ text, logprobs }] = choices;
  await wllama.exit();
  return {
    text,
    logProbs: logprobs?.token_logprobs ?? logprobs?.content?.map((/** @type {{ logprob: number }} */ token) => token.logprob) ?? [],
  };
}

/** @param {string} model */
async function serve(model) {
  const server = createServer((request, response) => {
    const url = request.url ?? '/';
    const file = url === '/model.gguf' ? model : url.startsWith('/wllama/') && !url.includes('..') ? path.join(WLLAMA, url.slice(8)) : null;
    const type = url.endsWith('.js')
      ? 'text/javascript'
      : url.endsWith('.wasm')
        ? 'application/wasm'
        : file
          ? 'application/octet-stream'
          : 'text/html';
    (file ? readFile(file) : Promise.resolve(PAGE)).then(
      (body) => response.writeHead(200, { 'Content-Type': type }).end(body),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return { url: `http://127.0.0.1:${port}/`, close: () => server.close() };
}
