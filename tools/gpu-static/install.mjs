// @ts-check
// Mesa's AMD driver, spirv-as, the Vulkan headers and loader, and vkstats. What the system lacks is fetched as Debian packages and unpacked
// in a cache folder, so that nothing is installed: a Vulkan driver in the system could become the one that tests and browsers use.

import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { say } from '../../scripts/project.mjs';
import { cache, cacheFolder, capture, fail, here, messageOf } from './common.mjs';

const PACKAGES = ['mesa-vulkan-drivers', 'libvulkan1', 'libvulkan-dev', 'spirv-tools'];
const BY_HAND = 'apt-get install --no-install-recommends mesa-vulkan-drivers libvulkan-dev spirv-tools gcc libc6-dev';

/**
 * @typedef {object} Tools
 * @property {string} radv Mesa's driver for AMD, a shared library
 * @property {string} spirvAs
 * @property {string} vkstats
 * @property {Record<string, string>} env for vkstats
 */

/** @returns {Promise<Tools>} */
export async function gpuTools() {
  let found = find();
  if (typeof found === 'string') {
    await unpack();
    found = find();
  }
  if (typeof found === 'string') fail(`Missing: ${found}. Install it:\n  ${BY_HAND}`);
  const { radv, spirvAs, header, loader } = found;
  return { radv, spirvAs, vkstats: await compileVkstats(header, loader), env: { LD_LIBRARY_PATH: path.dirname(loader) } };
}

/** Where everything is, or the name of a package that is missing. */
function find() {
  const roots = [path.join(cache, 'root'), '/'];
  const libraries = roots.flatMap((top) => {
    const lib = path.join(top, 'usr/lib');
    const names = existsSync(lib) ? readdirSync(lib).filter((name) => name.endsWith('-linux-gnu')) : [];
    return names.map((name) => path.join(lib, name));
  });
  const first = (/** @type {string[]} */ places) => places.find((file) => existsSync(file));
  const inLibraries = (/** @type {string} */ file) => first(libraries.map((folder) => path.join(folder, file)));
  const radv = inLibraries('libvulkan_radeon.so');
  const loader = inLibraries('libvulkan.so.1');
  const header = first(roots.map((top) => path.join(top, 'usr/include/vulkan/vulkan.h')));
  const programs = [path.join(cache, 'root/usr/bin'), ...(process.env.PATH ?? '').split(path.delimiter)];
  const spirvAs = first(programs.map((folder) => path.join(folder, 'spirv-as')));
  if (radv === undefined) return 'mesa-vulkan-drivers';
  if (loader === undefined) return 'libvulkan1';
  if (header === undefined) return 'libvulkan-dev';
  return spirvAs === undefined ? 'spirv-tools' : { radv, loader, header, spirvAs };
}

async function unpack() {
  say(`Fetching ${PACKAGES.join(', ')} into ${cache} …`);
  const [debs, fresh, root] = ['debs', 'root.new', 'root'].map((name) => path.join(cache, name));
  for (const folder of [debs, fresh]) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
  }
  const apt = (/** @type {string[]} */ ...args) =>
    capture('apt-get', ['-q', ...args], { cwd: debs }).catch((error) => ({ code: 1, err: messageOf(error) }));
  let fetched = await apt('download', ...PACKAGES);
  if (fetched.code !== 0) {
    await apt('update');
    fetched = await apt('download', ...PACKAGES);
  }
  if (fetched.code !== 0) fail(`Debian's packages could not be fetched:\n${fetched.err}\nWhere apt-get download does not work: ${BY_HAND}`);
  for (const name of readdirSync(debs).filter((file) => file.endsWith('.deb'))) {
    const { code, err } = await capture('dpkg', ['-x', path.join(debs, name), fresh]);
    if (code !== 0) fail(`${name} could not be unpacked:\n${err}`);
  }
  rmSync(root, { recursive: true, force: true });
  renameSync(fresh, root);
  rmSync(debs, { recursive: true });
}

/**
 * @param {string} header
 * @param {string} loader
 */
async function compileVkstats(header, loader) {
  const source = path.join(here, 'vkstats.c');
  const program = path.join(cacheFolder('bin'), 'vkstats');
  if (existsSync(program) && statSync(program).mtimeMs > statSync(source).mtimeMs) return program;
  const args = ['-O1', '-I', path.dirname(path.dirname(header)), source, '-o', program, loader];
  const { code, err } = await capture('cc', args).catch(() => fail('No C compiler: apt-get install --no-install-recommends gcc libc6-dev'));
  if (code !== 0) fail(`vkstats.c does not compile:\n${err}`);
  return program;
}
