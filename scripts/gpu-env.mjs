// @ts-check
// Gives Dawn, the WebGPU library in Node, a GPU driver. If the machine has none, it is SwiftShader, the software driver
// that comes with every Chromium on Linux. Other systems bring their own software driver, or have a GPU.

import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { chromiumFolders, ensureChromium } from './chromium.mjs';
import { say } from './project.mjs';

const LOADER = 'libvulkan.so.1';

/** @typedef {Record<string, string>} Env */

/**
 * What to add to the environment so that Dawn finds an adapter, and that adapter's name. Tries, in a process of its own,
 * the environment as it is and then each software driver; `adapter` is null if none works.
 * @returns {Promise<{ env: Env, adapter: string | null }>}
 */
export async function gpuEnv() {
  const plain = await probe({});
  const chosenByUser = Boolean(process.env.VK_ICD_FILENAMES ?? process.env.VK_DRIVER_FILES);
  if (plain.adapter !== null || chosenByUser || process.platform !== 'linux') return { env: {}, adapter: plain.adapter };
  for (const env of candidates(plain.loaderMissing)) {
    const { adapter } = await probe(env);
    if (adapter !== null) return { env, adapter };
  }
  return { env: {}, adapter: null };
}

/**
 * Like gpuEnv(), but installs Chromium for its software driver if that is possible and nothing else answers. If there is no
 * adapter, it says in one line what is missing.
 * @param {typeof gpuEnv} find
 * @param {(options: { quiet: boolean }) => Promise<string | null>} install
 * @returns {Promise<Env | null>} null if there is no adapter
 */
export async function ensureGpu(find = gpuEnv, install = ensureChromium) {
  const first = await find();
  if (first.adapter !== null) return first.env;
  const chosen = ['VK_ICD_FILENAMES', 'VK_DRIVER_FILES'].find((name) => process.env[name]);
  if (chosen !== undefined) {
    say(`No GPU: ${chosen} is ${process.env[chosen]}, and no driver there answers. Correct the variable or unset it.`);
    return null;
  }
  if (process.platform === 'linux' && (await install({ quiet: true })) !== null) {
    const second = await find();
    if (second.adapter !== null) return second.env;
  }
  say(
    process.platform === 'linux'
      ? 'No GPU: Dawn found no adapter. Install a Vulkan driver for the graphics card, or Chromium, whose software driver serves without one (Debian: `apt-get install chromium`).'
      : 'No GPU: Dawn found no adapter. Update the graphics driver.',
  );
  return null;
}

/**
 * Environments worth trying. Chromium brings its own Vulkan loader, which is used if the system has none: first with the
 * system's drivers, since one of them may be a real GPU, then with SwiftShader.
 * @param {boolean} loaderMissing
 * @returns {Env[]}
 */
function candidates(loaderMissing) {
  const found = chromiumFolders();
  const loaderFolder = loaderMissing ? found.find((folder) => existsSync(path.join(folder, LOADER))) : undefined;
  if (loaderMissing && loaderFolder === undefined) return [];
  /** @type {Env} */
  const loader = loaderFolder === undefined ? {} : { LD_LIBRARY_PATH: joinPaths(loaderFolder, process.env.LD_LIBRARY_PATH) };
  const drivers = found.map((folder) => path.join(folder, 'vk_swiftshader_icd.json')).filter((file) => existsSync(file));
  return [...(loaderMissing && systemHasDrivers() ? [loader] : []), ...drivers.map((driver) => ({ ...loader, VK_ICD_FILENAMES: driver }))];
}

function joinPaths(/** @type {string} */ first, /** @type {string | undefined} */ rest) {
  return rest ? `${first}${path.delimiter}${rest}` : first;
}

function systemHasDrivers() {
  return ['/usr/share/vulkan/icd.d', '/usr/local/share/vulkan/icd.d', '/etc/vulkan/icd.d'].some(
    (folder) => existsSync(folder) && readdirSync(folder).length > 0,
  );
}

const PROBE = `
  const { create } = await import('webgpu');
  const adapter = await create([]).requestAdapter();
  const { description, vendor } = adapter?.info ?? {};
  console.log(JSON.stringify({ adapter: adapter ? description || vendor || 'unnamed' : null }));
  process.exit(0);
`;

/**
 * Asks Dawn for an adapter in another process: a driver that crashes ends only that process, and the search path of shared
 * libraries is read when a process starts.
 * @param {Env} env
 * @returns {Promise<{ adapter: string | null, loaderMissing: boolean }>}
 */
function probe(env) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', PROBE], {
      cwd: path.dirname(fileURLToPath(import.meta.url)),
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 20_000,
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (/** @type {Buffer} */ chunk) => (out += chunk.toString()));
    child.stderr.on('data', (/** @type {Buffer} */ chunk) => (err += chunk.toString()));
    const finish = () => resolve({ adapter: adapterName(out), loaderMissing: err.includes(LOADER) });
    child.once('error', finish);
    child.once('close', finish);
  });
}

/** @returns {string | null} */
function adapterName(/** @type {string} */ out) {
  try {
    return JSON.parse(out).adapter;
  } catch {
    return null; // the process ended before it could print
  }
}

/**
 * Puts `env` into effect in this process, before Dawn is loaded. LD_LIBRARY_PATH was read when the process began, so
 * Chromium's Vulkan loader is loaded here by its path; Dawn, asking for it by name later, gets the one already there.
 * @param {Env} env
 */
export function useGpuEnv(env) {
  Object.assign(process.env, env);
  if (env.LD_LIBRARY_PATH === undefined) return;
  const file = path.join(env.LD_LIBRARY_PATH.split(path.delimiter)[0] ?? '', LOADER);
  const { RTLD_NOW, RTLD_GLOBAL } = os.constants.dlopen;
  const RTLD_NODELETE = 0x1000; // Linux: stays loaded although Node closes what is not an add-on
  try {
    process.dlopen({ exports: {} }, file, RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE);
  } catch {
    // Always comes here: Node loads the library, then says that it is not an add-on.
  }
}
