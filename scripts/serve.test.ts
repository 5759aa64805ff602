// The server behind `npm start` and the browser tests: what it answers, and above all what it refuses.

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serve } from './serve.mjs';

let folder = '';
let server: Awaited<ReturnType<typeof serve>>;

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'lisa-serve-'));
  mkdirSync(path.join(folder, 'site', 'assets'), { recursive: true });
  writeFileSync(path.join(folder, 'secret.txt'), 'secret');
  mkdirSync(path.join(folder, 'site-of-another'));
  writeFileSync(path.join(folder, 'site-of-another', 'secret.txt'), 'secret');
  writeFileSync(path.join(folder, 'site', 'index.html'), '<p>page</p>');
  writeFileSync(path.join(folder, 'site', '.built'), 'secret');
  writeFileSync(path.join(folder, 'site', 'ä b.txt'), 'text');
  writeFileSync(path.join(folder, 'site', 'assets', 'a-1.js'), 'let a;');
  writeFileSync(path.join(folder, 'site', 'model.safetensors'), Buffer.alloc(300_000, 7));
  symlinkSync(path.join(folder, 'secret.txt'), path.join(folder, 'site', 'link.txt'));
  server = await serve(path.join(folder, 'site'));
});

afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** One request with the path exactly as given: fetch() would tidy it up. */
function ask(name: string, { method = 'GET', host = `127.0.0.1:${server.port}` } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: server.port, path: name, method, headers: { host } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', () => resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }));
    });
    asked.once('error', reject);
    asked.end();
  });
}

test.each([
  ['/', 'text/html; charset=utf-8', 11],
  ['/index.html?x=../..', 'text/html; charset=utf-8', 11],
  ['/assets/a-1.js', 'text/javascript; charset=utf-8', 6],
  ['/%C3%A4%20b.txt', 'text/plain; charset=utf-8', 4],
  ['/model.safetensors', 'application/octet-stream', 300_000],
])('serves %s as %s', async (name, type, bytes) => {
  const { status, headers, body } = await ask(name);
  expect({ status, type: headers['content-type'], length: headers['content-length'], bytes: body.length }).toEqual({
    status: 200,
    type,
    length: String(bytes),
    bytes,
  });
});

test.each([
  '/../secret.txt',
  '/assets/../../secret.txt',
  '/..%2fsecret.txt',
  '/%2e%2e/secret.txt',
  '/%2e%2e%2fsecret.txt',
  '/..%5csecret.txt',
  '/..\\secret.txt',
  '//secret.txt/../../secret.txt',
  '/../site-of-another/secret.txt',
  '/%252e%252e/secret.txt',
  '/link.txt',
  '/.built',
  '/assets',
  '/assets/',
  '/none.txt',
  '/a%00.txt',
  '/%ff',
  '/C:/secret.txt',
  'http://example.org/index.html',
])('does not find %s', async (name) => {
  const { status, body } = await ask(name);
  expect(status).toBe(404);
  expect(body.toString()).not.toContain('secret');
});

test('every answer forbids other origins, inline scripts and frames', async () => {
  for (const name of ['/', '/none.txt']) {
    const { headers } = await ask(name);
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    // The page may read from the hub and where it redirects to, and from no other origin.
    expect(policy).toContain("connect-src 'self' https://huggingface.co https://*.huggingface.co https://*.hf.co;");
    expect(policy.replace(/connect-src [^;]+/, '')).not.toMatch(/unsafe|https?:|\*/);
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
    });
  }
});

test('HEAD has the headers and no body; other methods are refused', async () => {
  const head = await ask('/', { method: 'HEAD' });
  expect([head.status, head.headers['content-length'], head.body.length]).toEqual([200, '11', 0]);
  expect((await ask('/', { method: 'POST' })).status).toBe(405);
});

test('a host name that is not this machine is refused', async () => {
  expect((await ask('/', { host: 'rebound.example.org' })).status).toBe(403);
  expect((await ask('/', { host: `localhost:${server.port}` })).status).toBe(200);
});

test('a mirror and its redirects are allowed by their origins, and the page learns the mirror', async () => {
  const mirrored = await serve(path.join(folder, 'site'), 0, { hub: 'http://127.0.0.1:9/hf', redirects: ['https://cdn.mirror.test/x'] });
  try {
    const answer = await fetch(`${mirrored.url}hub.json`);
    expect(await answer.json()).toEqual({ url: 'http://127.0.0.1:9/hf', redirects: ['https://cdn.mirror.test/x'] });
    expect(answer.headers.get('content-security-policy')).toContain(' https://*.hf.co http://127.0.0.1:9 https://cdn.mirror.test;');
  } finally {
    await mirrored.close();
  }
  for (const hub of ['javascript:x', 'https://u@a.test', 'x; script-src *'])
    await expect(serve(path.join(folder, 'site'), 0, { hub })).rejects.toThrow();
});
