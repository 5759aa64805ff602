// @ts-check
// npm start: installs what is missing, builds the page, serves it on this machine only and opens a browser.
// Options: --port <n> (default 4180; the next free one if it is in use), --no-open; for a mirror of the Hub
// --hub-url <address>, and --hub-redirect <address> (repeatable) for hosts that it redirects to.

import { spawn } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { ensureBuild, ensureDependencies, root, say } from './project.mjs';
import { serve } from './serve.mjs';

// The browser stores runs per address, port included: a fixed port finds them again.
const DEFAULT_PORT = 4180;

const { port, openPage, hub, redirects } = readOptions();
await ensureDependencies();
await ensureBuild('page');
const server = await listen(port);
console.log(`LISA Studio is at ${server.url}   (Ctrl-C ends it)`);
if (port !== 0 && server.port !== port) say(`Port ${port} is in use. Runs saved under another port are not seen under this one.`);
if (openPage) openBrowser(server.url);

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.once(signal, () => process.exit(0));

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: 'string' },
        'no-open': { type: 'boolean' },
        'hub-url': { type: 'string' },
        'hub-redirect': { type: 'string', multiple: true },
      },
    });
    const port = Number(values.port ?? process.env.PORT ?? DEFAULT_PORT);
    if (!Number.isInteger(port) || port < 0 || port > 65535) throw new Error('The port must be a whole number from 0 to 65535.');
    const redirects = values['hub-redirect'] ?? [];
    for (const address of [values['hub-url'] ?? [], redirects].flat()) {
      if (!/^https?:\/\/[^\s;,'"@]+$/.test(address) || !URL.canParse(address)) throw new Error(`${address} is not the address of a hub.`);
    }
    return { port, openPage: values['no-open'] !== true, hub: values['hub-url']?.replace(/\/+$/, ''), redirects };
  } catch (error) {
    say(
      `${error instanceof Error ? error.message : String(error)} Options: --port <n>, --no-open, --hub-url <address>, --hub-redirect <address>.`,
    );
    process.exit(2);
  }
}

/** Tries the wanted port and the nine after it, then lets the system choose. */
async function listen(/** @type {number} */ wanted) {
  const candidates = wanted === 0 ? [0] : [...Array.from({ length: 10 }, (_, i) => wanted + i).filter((p) => p <= 65535), 0];
  for (const candidate of candidates) {
    try {
      return await serve(path.join(root, 'dist'), candidate, { hub, redirects });
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : '';
      if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error;
    }
  }
  throw new Error('No port could be opened.');
}

/** Opens the page if a person is likely to sit in front of the machine; failing to do so is not an error. */
function openBrowser(/** @type {string} */ url) {
  const { platform, env } = process;
  const headless = platform === 'linux' && !env.DISPLAY && !env.WAYLAND_DISPLAY;
  if (env.CI || env.SSH_CONNECTION || env.BROWSER === 'none' || headless) return;
  const [command, args] = platform === 'win32' ? ['cmd', ['/c', 'start', '', url]] : [platform === 'darwin' ? 'open' : 'xdg-open', [url]];
  const opener = spawn(command, args, { stdio: 'ignore', detached: true });
  opener.once('error', () => say('No browser could be opened: open the address above yourself.'));
  opener.unref();
}
