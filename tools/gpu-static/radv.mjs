// @ts-check
// Compiles kernels for an AMD GPU that need not be there: Dawn writes SPIR-V, Mesa's RADV compiles that, and tells registers, spills,
// workgroup memory, waves and the assembly.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { root, say } from '../../scripts/project.mjs';
import { cacheFolder, capture, driverEnv, fail, here } from './common.mjs';
import { gpuTools } from './install.mjs';
import { hotLoop } from './isa.mjs';

/** @typedef {import('./common.mjs').NamedKernel} NamedKernel */
/**
 * @typedef {object} Target
 * @property {string} family GPU that RADV compiles for
 * @property {'on' | 'off'} robust with Dawn's checks of indices, or without
 * @property {string} [wave] subgroup size
 * @property {string} isa folder for what the compiler shows of itself
 * @property {string} work folder for files in between
 */
/**
 * @typedef {object} Compiled
 * @property {string} key
 * @property {number} subgroup
 * @property {Record<string, number>} statistics
 * @property {ReturnType<typeof hotLoop>} loop
 */
/** @typedef {{ key: string, error: string }} Refused */
/** @typedef {{ device: string, driver: string, compiled: Compiled[], refused: Refused[] }} Measured */

/**
 * @param {readonly NamedKernel[]} kernels
 * @param {Target} target
 * @returns {Promise<Measured>}
 */
export async function compileAll(kernels, target) {
  const tools = await gpuTools();
  const named = kernels.map((kernel) => ({ ...kernel, name: kernel.key.replace(/[^\w.=-]+/g, '_').replace(/_$/, '') }));
  const shaders = [];
  for (const shader of await dump(named, target)) shaders.push(await assemble(shader, tools.spirvAs, target.work));
  return measure(shaders, tools, target);
}

/** SPIR-V of every kernel as text, by Dawn. Its driver compiles each too, which takes a second, so the text is kept for the next run. */
async function dump(/** @type {(NamedKernel & { name: string })[]} */ kernels, /** @type {Target} */ { robust, work }) {
  const folder = cacheFolder('spirv');
  /** @type {{ version: string }} */
  const { version } = JSON.parse(readFileSync(path.join(root, 'node_modules/webgpu/package.json'), 'utf8'));
  const script = readFileSync(path.join(here, 'dump.mjs'), 'utf8');
  const kept = (/** @type {NamedKernel} */ { wgsl }) =>
    path.join(folder, `${createHash('sha256').update([version, robust, script, wgsl].join('\n')).digest('hex')}.spvasm`);
  // A text that was cut off in the middle does not count.
  const missing = (/** @type {NamedKernel} */ kernel) => !existsSync(kept(kernel)) || !isWhole(readFileSync(kept(kernel), 'utf8'));
  const fresh = kernels.filter(missing);
  const env = fresh.length ? await driverEnv() : {};
  const BATCH = 20; // a run that is broken off keeps what it has
  for (let from = 0; from < fresh.length; from += BATCH) {
    const batch = fresh.slice(from, from + BATCH);
    say(`Dawn compiles kernels ${from + 1} to ${from + batch.length} of ${fresh.length} that are new, about one a second …`);
    const list = path.join(work, 'kernels.json');
    writeFileSync(list, JSON.stringify(batch));
    // Into a file: Dawn drops what a pipe does not take at once, and a large kernel's text is more than a pipe holds.
    const outFile = path.join(work, 'dump.txt');
    const { code, signal, err } = await capture(process.execPath, [path.join(here, 'dump.mjs'), list, robust], { env, outFile });
    for (const part of readFileSync(outFile, 'utf8').split(/^@@ /m).slice(1)) {
      const [n] = part.split('\n', 1);
      const text = part
        .split('/* Dumped SPIRV disassembly */\n')
        .at(1)
        ?.split(/^info:/m)[0];
      if (n !== 'end' && text && isWhole(text)) writeFileSync(kept(batch[Number(n)]), text);
    }
    if (code !== 0) fail(`Dawn did not compile all kernels (${signal ?? `status ${code}`}):\n${err}`);
    const silent = batch.filter(missing);
    if (silent.length) fail(`Dawn wrote no SPIR-V of ${silent.map(({ key }) => key).join(', ')}. Is its driver a Vulkan one?\n${err}`);
  }
  return kernels.map((kernel) => ({ key: kernel.key, name: kernel.name, spirv: readFileSync(kept(kernel), 'utf8') }));
}

/** Whether a text of SPIR-V ends where a module does. */
const isWhole = (/** @type {string} */ text) => text.trimEnd().endsWith('OpFunctionEnd');

/**
 * @param {{ key: string, name: string, spirv: string }} shader
 * @param {string} spirvAs
 * @param {string} work
 */
async function assemble({ key, name, spirv }, spirvAs, work) {
  const text = path.join(work, `${name}.spvasm`);
  const file = path.join(work, `${name}.spv`);
  writeFileSync(text, spirv);
  const version = /^; Version: (\S+)/m.exec(spirv)?.[1] ?? '1.4';
  const { code, err } = await capture(spirvAs, ['--preserve-numeric-ids', '--target-env', `spv${version}`, text, '-o', file]);
  if (code !== 0) fail(`spirv-as refuses ${key}:\n${err}`);
  const entry = /OpEntryPoint GLCompute %\w+ "(\w+)"/.exec(spirv)?.[1] ?? 'main';
  return { key, name, file, entry, letters: bindingLetters(key, spirv) };
}

/**
 * Letters for vkstats: what lies at binding 0, 1, …; a gap counts as a storage buffer.
 * @param {string} key
 * @param {string} spirv
 */
function bindingLetters(key, spirv) {
  const storage = new Map(
    [...spirv.matchAll(/(%\w+) = OpVariable \S+ (Uniform|StorageBuffer)\b/g)].map(([, id, kind]) => [id, kind === 'Uniform' ? 'u' : 's']),
  );
  if (/DescriptorSet [1-9]/.test(spirv)) fail(`${key}: bindings outside group 0 are not supported.`);
  /** @type {string[]} */
  const letters = [];
  for (const [, id, binding] of spirv.matchAll(/OpDecorate (%\w+) Binding (\d+)/g)) letters[Number(binding)] = storage.get(id) ?? 's';
  return Array.from(letters, (letter) => letter ?? 's').join('');
}

/**
 * @param {readonly Awaited<ReturnType<typeof assemble>>[]} shaders
 * @param {import('./install.mjs').Tools} tools
 * @param {Target} target
 * @returns {Promise<Measured>}
 */
async function measure(shaders, tools, { family, robust, wave, isa, work }) {
  mkdirSync(isa, { recursive: true });
  const icd = path.join(work, 'radv.json');
  writeFileSync(icd, JSON.stringify({ file_format_version: '1.0.0', ICD: { library_path: tools.radv, api_version: '1.3.0' } }));
  const env = {
    ...tools.env,
    VK_ICD_FILENAMES: icd,
    VK_DRIVER_FILES: icd,
    RADV_FORCE_FAMILY: family,
    MESA_SHADER_CACHE_DISABLE: 'true',
    XDG_RUNTIME_DIR: work,
  };
  const args = [
    ...(robust === 'on' ? ['--robust'] : []),
    ...(wave ? ['--wave', wave] : []),
    ...['--isa', isa, '--entry', shaders[0].entry],
    ...shaders.map(({ file, letters }) => `${file}:${letters}`),
  ];
  const { code, signal, out, err } = await capture(tools.vkstats, args, { env });
  const lines = out.split('\n').filter(Boolean);
  /** @type {{ device: string, driver: string } | null} */
  const about = lines.length > 0 ? JSON.parse(lines[0]) : null;
  if (about === null || code === 2) fail(`No figures of ${family}:\n${err}`);
  const results = lines.slice(1);
  if (results.length < shaders.length) fail(`The driver ended (${signal ?? code}) at ${shaders[results.length].key}:\n${err}`);
  /** @type {Compiled[]} */
  const compiled = [];
  /** @type {Refused[]} */
  const refused = [];
  results.forEach((line, i) => {
    const { key, name } = shaders[i];
    /** @type {{ error?: string, subgroup: number, statistics: Record<string, number> }} */
    const { error, subgroup, statistics } = JSON.parse(line);
    if (error !== undefined) refused.push({ key, error });
    else compiled.push({ key, subgroup, statistics, loop: hotLoop(readFileSync(path.join(isa, `${name}.txt`), 'utf8')) });
  });
  return { device: about.device, driver: about.driver, compiled, refused };
}
