// The page offline: every file of a build is fetched once, and served from then on. A newer build is fetched beside it and takes over
// when the page says so, never by itself. scripts/page/plugin.mjs fills in the version and the files.

const VERSION = '%VERSION%';
/** @type {readonly string[]} */
const FILES = JSON.parse('%FILES%');
const PREFIX = 'lisa-studio ';
const CACHE = PREFIX + VERSION;

self.addEventListener('install', (event) => {
  const fetchAll = async () => {
    const cache = await caches.open(CACHE);
    // 'reload': what the browser has cached may be of another build.
    await cache.addAll(FILES.map((file) => new Request(file, { cache: 'reload' })));
  };
  event.waitUntil(fetchAll());
});

self.addEventListener('activate', (event) => {
  const tidy = async () => {
    for (const name of await caches.keys()) if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
    await self.clients.claim();
  };
  event.waitUntil(tidy());
});

self.addEventListener('message', ({ data }) => {
  if (data === 'take over') void self.skipWaiting();
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || !url.href.startsWith(self.registration.scope)) return;
  event.respondWith(answer(request, url));
});

async function answer(request, url) {
  const cache = await caches.open(CACHE);
  // The server may name another hub since.
  if (url.pathname.endsWith('/hub.json')) return fetch(request).catch(async () => (await cache.match(request)) ?? Response.error());
  const page = request.mode === 'navigate' ? new URL('./', self.registration.scope).href : request;
  return (await cache.match(page, { ignoreSearch: true })) ?? fetch(request);
}
