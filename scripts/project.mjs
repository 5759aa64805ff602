// @ts-check
// What all scripts need: where the project is, how to run a command, whether the dependencies are installed and
// whether a build is up to date. Uses Node's built-in modules only, because it runs before anything is installed.

import { constants, setPriority } from 'node:os';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** Says on standard error what happens: standard output belongs to the command that the user asked for. */
export function say(/** @type {string} */ text) {
  process.stderr.write(`${text}\n`);
}

/** Ends with one clear line if Node is too old for the tools that the project uses. */
function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  say(`LISA Studio needs Node 20.19 or newer; this is ${process.versions.node}. Get a newer one from https://nodejs.org.`);
  process.exit(1);
}

/**
 * Runs a command in the project's folder and resolves with its exit status (128 + n after signal n, as a shell has it).
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: Record<string, string>, stdio?: import('node:child_process').StdioOptions, shell?: boolean, background?: boolean }} [options]
 *   background: what runs beside it gets the processor first
 * @returns {Promise<number>}
 */
export function run(command, args, { env = {}, stdio = 'inherit', shell = false, background = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio, shell, env: { ...process.env, ...env } });
    if (background && child.pid !== undefined) giveWay(child.pid);
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : signal === 'SIGTERM' ? 143 : 137)));
  });
}

/** Lowers the priority of a process, and of those that it will start. It may have ended already, or the system may refuse. */
function giveWay(/** @type {number} */ pid) {
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // It only takes longer then.
  }
}

/**
 * For a child that must leave standard output alone: all it prints goes to standard error.
 * @type {import('node:child_process').StdioOptions}
 */
export const toStderr = ['ignore', 2, 2];

/**
 * Runs the program `bin` of an installed package with this Node, so that it works without a shell on every system.
 * @param {string} packageName
 * @param {string} bin path of the program inside the package
 * @param {readonly string[]} args
 * @param {Parameters<typeof run>[2]} [options]
 */
export function runTool(packageName, bin, args, options) {
  return run(process.execPath, [path.join(root, 'node_modules', packageName, bin), ...args], options);
}

/** True when node_modules holds exactly the versions that package-lock.json names; optional packages may be absent. */
function dependenciesInstalled() {
  // npm writes this file last, so an interrupted installation has none.
  const installedFile = path.join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installedFile)) return false;
  /** @type {Record<string, { version?: string, optional?: boolean, peer?: boolean }>} */
  const wanted = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')).packages;
  /** @type {typeof wanted} */
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages;
  return Object.entries(wanted).every(([name, { version, optional }]) => {
    if (name === '') return true;
    const found = installed[name];
    return found === undefined ? optional === true : found.version === version;
  });
}

/** Installs the dependencies with `npm ci` if they are missing or differ from package-lock.json. */
export async function ensureDependencies() {
  requireNode();
  if (dependenciesInstalled()) return;
  say('Installing the dependencies (npm ci) …');
  // Uses the npm that started this script, if one did; `npm` is a .cmd file on Windows and needs a shell there.
  const npm = process.env.npm_execpath;
  // With NODE_ENV=production npm would leave out the tools that build the page.
  const args = ['ci', '--include=dev', '--include=optional'];
  const code =
    npm !== undefined && path.basename(npm).startsWith('npm-cli.')
      ? await run(process.execPath, [npm, ...args], { stdio: toStderr })
      : await run('npm', args, { stdio: toStderr, shell: process.platform === 'win32' });
  if (code === 0) return;
  say('The dependencies could not be installed: see the lines above. Check the network, then try again.');
  process.exit(1);
}

/** The newest modification time, in ms, of a file or of anything in a folder; folders count, so a deleted file is seen too. */
function newestChange(/** @type {string} */ file) {
  if (!existsSync(file)) return 0;
  const stats = statSync(file);
  let newest = stats.mtimeMs;
  if (stats.isDirectory()) {
    for (const entry of readdirSync(file)) newest = Math.max(newest, newestChange(path.join(file, entry)));
  }
  return newest;
}

const SOURCES = ['src', 'public', 'index.html', 'package.json', 'package-lock.json', 'tsconfig.json'];

/** The two builds: the page, and the programs that run in Node. */
const BUILDS = {
  page: { outDir: 'dist', config: 'vite.config.ts', sources: SOURCES, what: 'the page' },
  node: {
    outDir: 'dist-node',
    config: 'vite.node.config.ts',
    sources: SOURCES.filter((s) => s !== 'public'),
    what: 'the programs for Node',
  },
};

/** The file in a build's folder that holds the time, in ms, at which that build was begun. */
const STAMP = '.built';

/** @param {keyof typeof BUILDS} name */
function buildIsFresh(name) {
  const { outDir, config, sources } = BUILDS[name];
  const stamp = path.join(root, outDir, STAMP);
  if (!existsSync(stamp)) return false;
  const begun = Number(readFileSync(stamp, 'utf8'));
  return [...sources, config].every((source) => newestChange(path.join(root, source)) < begun);
}

/**
 * Builds beside the old output and swaps when it is complete: a broken build leaves the last good one in place, and
 * two commands that build at the same time do not see each other's half-written files.
 * @param {keyof typeof BUILDS} name
 * @param {{ quiet?: boolean, stdio?: import('node:child_process').StdioOptions }} [options]
 * @returns {Promise<number>} vite's exit status
 */
export async function build(name, { quiet = false, stdio = quiet ? toStderr : 'inherit' } = {}) {
  const { outDir, config } = BUILDS[name];
  const begun = Date.now();
  const fresh = path.join(root, `${outDir}.${process.pid}.tmp`);
  const args = ['build', '--config', config, '--outDir', fresh, '--emptyOutDir', '--logLevel', quiet ? 'error' : 'warn'];
  const code = await runTool('vite', 'bin/vite.js', args, { stdio });
  if (code === 0) {
    writeFileSync(path.join(fresh, STAMP), String(begun));
    replaceFolder(fresh, path.join(root, outDir));
  }
  rmSync(fresh, { recursive: true, force: true });
  return code;
}

/** Two builders may swap at once; each has a complete build, so the second one just tries again. */
function replaceFolder(/** @type {string} */ from, /** @type {string} */ to) {
  for (let attempt = 1; ; attempt++) {
    try {
      rmSync(to, { recursive: true, force: true });
      renameSync(from, to);
      return;
    } catch (error) {
      if (attempt === 5) throw error;
    }
  }
}

/**
 * Builds if the sources are newer than the output.
 * @param {keyof typeof BUILDS} name
 * @param {{ quiet?: boolean }} [options]
 */
export async function ensureBuild(name, options) {
  if (buildIsFresh(name)) return;
  say(`Building ${BUILDS[name].what} …`);
  if ((await build(name, options)) === 0) return;
  say(`Building ${BUILDS[name].what} failed: see the lines above.`);
  process.exit(1);
}
