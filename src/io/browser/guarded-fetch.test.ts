import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { allowMirror, guardedFetch } from './guarded-fetch';

const asked: string[] = [];
let answersFrom = '';
beforeEach(() => {
  asked.length = 0;
  answersFrom = '';
  vi.stubGlobal('location', { origin: 'https://me.example', href: 'https://me.example/x/y/' });
  vi.stubGlobal('fetch', (url: URL) => {
    asked.push(url.href);
    const response = new Response('{}');
    Object.defineProperty(response, 'url', { value: answersFrom || url.href });
    return Promise.resolve(response);
  });
});
afterEach(() => vi.unstubAllGlobals());

test('its own server and the hosts of the Hub are asked', async () => {
  for (const url of ['hub.json', 'https://huggingface.co/api/models/a', 'https://cdn-lfs.huggingface.co/x', 'https://us.aws.cdn.hf.co/y'])
    await guardedFetch(url);
  expect(asked[0]).toBe('https://me.example/x/y/hub.json');
  expect(asked).toHaveLength(4);
});

test.each([
  'https://evil.example/',
  'https://huggingface.co.evil.example/',
  'https://evilhuggingface.co/',
  'http://huggingface.co/',
  'https://huggingface.co:8443/',
  'https://evil.example/hf.co',
])('nothing is sent to %s', async (url) => {
  await expect(guardedFetch(url)).rejects.toMatchObject({
    code: 'HUB_NAME',
    detail: expect.stringContaining(new URL(url).origin) as string,
  });
  expect(asked).toEqual([]);
});

test('an answer from elsewhere, after a redirect, is not read', async () => {
  answersFrom = 'https://evil.example/file';
  await expect(guardedFetch('https://huggingface.co/a')).rejects.toMatchObject({ code: 'HUB_NAME' });
});

test('a mirror that the page’s own server names may be asked', async () => {
  allowMirror({ url: 'http://127.0.0.1:9/hub', redirects: ['https://store.example', 7, 'no address'] });
  await guardedFetch('http://127.0.0.1:9/hub/api');
  await guardedFetch('https://store.example/bytes');
  expect(asked).toHaveLength(2);
});
