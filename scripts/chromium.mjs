// @ts-check
// Finds a Chromium on this machine (Chrome, Chromium, Edge), or installs Debian's package if that is possible. The
// browser tests run in it, and Node uses its software GPU driver (SwiftShader) if there is no GPU.

import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync, readdirSync, realpathSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { run, say, toStderr } from './project.mjs';

const NAMES = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'google-chrome-beta',
  'chrome',
  'microsoft-edge',
  'microsoft-edge-stable',
];

function isProgram(/** @type {string} */ file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Folders of `parent` whose name matches, newest name first; empty where there is no such folder. */
function folders(/** @type {string} */ parent, /** @type {RegExp} */ pattern) {
  try {
    return readdirSync(parent)
      .filter((name) => pattern.test(name))
      .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
      .map((name) => path.join(parent, name));
  } catch {
    return [];
  }
}

/** Browsers that Playwright downloaded for other projects. */
function playwrightBrowsers() {
  const caches = { linux: '.cache/ms-playwright', darwin: 'Library/Caches/ms-playwright', win32: 'AppData/Local/ms-playwright' };
  const cache =
    process.env.PLAYWRIGHT_BROWSERS_PATH ?? path.join(os.homedir(), caches[/** @type {'linux'} */ (process.platform)] ?? caches.linux);
  return folders(cache, /^chromium-\d+$/);
}

/** Places where a browser's program may be, besides PATH. */
function usualPlaces() {
  const { env, platform } = process;
  if (platform === 'darwin') {
    const apps = ['Google Chrome', 'Chromium', 'Microsoft Edge', 'Google Chrome Canary'];
    return ['/Applications', path.join(os.homedir(), 'Applications')].flatMap((folder) =>
      apps.map((app) => path.join(folder, `${app}.app`, 'Contents', 'MacOS', app)),
    );
  }
  if (platform === 'win32') {
    const programs = [env.PROGRAMFILES, env['PROGRAMFILES(X86)'], env.LOCALAPPDATA].filter((folder) => folder !== undefined);
    const inside = ['Google/Chrome/Application/chrome.exe', 'Chromium/Application/chrome.exe', 'Microsoft/Edge/Application/msedge.exe'];
    return [
      ...programs.flatMap((folder) => inside.map((file) => path.join(folder, file))),
      ...playwrightBrowsers().map((b) => path.join(b, 'chrome-win', 'chrome.exe')),
    ];
  }
  return [
    '/opt/google/chrome/chrome',
    '/opt/microsoft/msedge/msedge',
    '/usr/lib/chromium/chromium',
    '/snap/bin/chromium',
    ...playwrightBrowsers().flatMap((folder) => folders(folder, /^chrome-linux/).map((inner) => path.join(inner, 'chrome'))),
  ];
}

/** The path of a Chromium-based browser, or null. The variable CHROME_PATH names one outright. */
export function findChromium() {
  const chosen = process.env.CHROME_PATH;
  if (chosen !== undefined && chosen !== '') return isProgram(chosen) ? chosen : null;
  const onPath = (process.env.PATH ?? '').split(path.delimiter).filter((folder) => folder !== '');
  const programs = process.platform === 'win32' ? [] : NAMES.flatMap((name) => onPath.map((folder) => path.join(folder, name)));
  return [...programs, ...usualPlaces()].find(isProgram) ?? null;
}

/** Folders that may hold a Chromium's own files, its GPU drivers among them. */
export function chromiumFolders() {
  const browser = findChromium();
  return [
    ...(browser === null ? [] : [path.dirname(realpathSync(browser))]),
    '/usr/lib/chromium',
    '/usr/lib64/chromium-browser',
    '/usr/lib/chromium-browser',
    '/opt/google/chrome',
    '/opt/microsoft/msedge',
    '/snap/chromium/current/usr/lib/chromium-browser',
    ...playwrightBrowsers().flatMap((folder) => folders(folder, /^chrome-linux/)),
  ].filter((folder, index, all) => all.indexOf(folder) === index);
}

/** How to run a command as root without being asked for a password, or null. */
function asRoot() {
  if (process.getuid?.() === 0) return [];
  return spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : null;
}

/** Debian itself: Ubuntu's package of the same name only points to a snap. */
function isDebian() {
  try {
    return /^ID=("?)debian\1$/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
}

/**
 * Finds a browser; on Debian it installs one if there is none. If it cannot, it says what to do, unless the caller does.
 * @param {{ quiet?: boolean }} [options]
 * @returns {Promise<string | null>} path of the browser's program
 */
export async function ensureChromium({ quiet = false } = {}) {
  const found = findChromium();
  if (found !== null) return found;
  const prefix = isDebian() && isProgram('/usr/bin/apt-get') ? asRoot() : null;
  if (prefix !== null && !process.env.CHROME_PATH) {
    say('Installing Chromium (apt-get install chromium) …');
    const apt = (/** @type {string[]} */ ...args) => {
      const [command = '', ...rest] = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-qq', ...args];
      return run(command, rest, { stdio: toStderr });
    };
    // The package lists of a fresh machine are missing or old; the installation may succeed even if the update fails.
    await apt('update');
    await apt('install', '--yes', '--no-install-recommends', 'chromium');
    const installed = findChromium();
    if (installed !== null) return installed;
  }
  if (quiet) return null;
  say(
    process.env.CHROME_PATH
      ? `CHROME_PATH is ${process.env.CHROME_PATH}, where there is no program. Correct the variable or unset it.`
      : 'The browser tests need Chrome or Chromium, and none was found. Install one (Debian: `apt-get install chromium`), or name its program in the variable CHROME_PATH.',
  );
  return null;
}
