// @ts-check
// npm run check:gpu: what compilers of real graphics cards make of the kernels, without a card. AMD's (Mesa's RADV) tells registers, spills
// and the arithmetic of the hot loop, which limits.json bounds; naga, Firefox's, must take all of them. See README.md.

import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { say } from '../../scripts/project.mjs';
import { fail, here, loadPlans, messageOf, readOptions, table, temporaryFolder } from './common.mjs';
import { nagaFaults } from './naga.mjs';
import { compileAll } from './radv.mjs';

const USAGE = `npm run check:gpu -- [options]
  --family NAME      GPU that RADV compiles for (default: rembrandt, RDNA2 in laptops; others: gfx1100, navi10, vega10, …)
  --robust on|off    with Dawn's checks of indices, as in Chrome (default), or without, as in the project's own programs for Node
  --wave 32|64       subgroup size (default: the driver's choice)
  --only REGEX       kernels whose key matches
  --families A,B     kernel families (default: all)
  --wgsl FILE|DIR    measure these WGSL files instead of the project's kernels; may be repeated
  --limits FILE      thresholds (default: limits.json beside this program; none for --wgsl); 'none' for none
  --json FILE        write all figures there
  --isa DIR          write NIR, ACO and assembly of every kernel there`;

const options = readOptions(USAGE, {
  family: { type: 'string', default: 'rembrandt' },
  robust: { type: 'string', default: 'on' },
  wave: { type: 'string' },
  only: { type: 'string' },
  families: { type: 'string' },
  wgsl: { type: 'string', multiple: true },
  limits: { type: 'string' },
  json: { type: 'string' },
  isa: { type: 'string' },
});
const { family, robust, wave } = options;
if (robust !== 'on' && robust !== 'off') fail(`--robust is on or off, not ${robust}.`);
if (wave !== undefined && !['32', '64'].includes(wave)) fail(`--wave is 32 or 64, not ${wave}.`);

/** @typedef {{ mostSpilled?: number, mostVgprs?: number, leastIssue?: number }} Rule */
/** @typedef {import('./radv.mjs').Compiled} Compiled */
const limits = readLimits(); // before the work, so that a wrong file is told at once
const kernels = await chosenKernels();
const work = temporaryFolder();
const isa = path.resolve(options.isa ?? path.join(work, 'isa'));
const measured = await compileAll(kernels, { family, robust, wave, isa, work });
const refusedByNaga = await nagaFaults(kernels);
report();

async function chosenKernels() {
  const pattern = new RegExp(options.only ?? '.');
  const { kernels: ofPlans, FAMILIES } = await loadPlans();
  const wanted = options.families?.split(',');
  const unknown = wanted?.find((name) => !FAMILIES.some((known) => known === name));
  if (unknown !== undefined) fail(`--families: ${unknown} is none of ${FAMILIES.join(', ')}.`);
  const all = options.wgsl?.flatMap(readWgsl) ?? ofPlans(FAMILIES.filter((name) => wanted === undefined || wanted.includes(name)));
  const chosen = all.filter(({ key }) => pattern.test(key));
  if (chosen.length === 0) fail(`No kernel's key matches ${pattern}.`);
  return chosen;
}

function readWgsl(/** @type {string} */ file) {
  if (!existsSync(file)) fail(`${file} does not exist.`);
  const files = statSync(file).isDirectory()
    ? readdirSync(file)
        .filter((name) => name.endsWith('.wgsl'))
        .map((name) => path.join(file, name))
    : [file];
  return files.map((name) => ({ key: path.basename(name, '.wgsl'), wgsl: readFileSync(name, 'utf8') }));
}

/** The thresholds that hold for this run; null where there are none. */
function readLimits() {
  if (options.limits === 'none' || (options.wgsl && !options.limits)) return null;
  const file = options.limits ?? path.join(here, 'limits.json');
  try {
    /** @type {{ family: string, robust: string, rules: (Rule & { kernels: string })[] }} */
    const read = JSON.parse(readFileSync(file, 'utf8'));
    if (read.family === family && read.robust === robust) {
      return read.rules.map(({ kernels: pattern, ...rule }) => ({ pattern: new RegExp(pattern), rule }));
    }
    say(`${path.basename(file)} is for ${read.family} with robustness ${read.robust}: not checked.`);
    return null;
  } catch (error) {
    return fail(`${file} cannot be used: ${messageOf(error)}`);
  }
}

/** @param {Compiled} row */
function spilledOf({ statistics }) {
  return statistics['Spilled VGPRs'] ?? 0;
}

function report() {
  const { device, driver, compiled, refused } = measured;
  compiled.sort((a, b) => spilledOf(b) - spilledOf(a) || (a.loop?.issue ?? 9) - (b.loop?.issue ?? 9) || a.key.localeCompare(b.key));
  const fixed = (/** @type {number | undefined} */ value) => (value === undefined ? '–' : value.toFixed(2));
  const header = ['kernel', 'VGPR', 'spilled', 'scratch B', 'LDS B', 'waves', 'issue', 'inner', 'MACs', 'vector', 'loads', 'LDS ops'];
  const cells = compiled.map(({ key, statistics, loop }) => [
    key,
    ...['VGPRs', 'Spilled VGPRs', 'Scratch size', 'LDS size', 'Subgroups per SIMD'].map((name) => String(statistics[name] ?? 0)),
    fixed(loop?.issue),
    fixed(loop?.inner),
    ...(loop ? [loop.macs, loop.vector, loop.loads, loop.lds].map(String) : ['–', '–', '–', '–']),
  ]);
  const waves = [...new Set(compiled.map(({ subgroup }) => subgroup))].join(' and ');
  process.stdout.write(
    `${device}, ${driver}; robustness ${robust}; waves of ${waves}; kernels: ${kernels.length}\n\n${table(header, cells)}\n` +
      `\nnaga: ${kernels.length - refusedByNaga.length} of ${kernels.length} kernels compiled to SPIR-V, HLSL and MSL\n`,
  );
  if (options.json) writeFileSync(options.json, `${JSON.stringify({ family, robust, ...measured, refusedByNaga }, null, 1)}\n`);
  const broken = [
    ...refused.map(({ key, error }) => `${key}: no pipeline (${error})`),
    ...refusedByNaga.map((text) => `naga refuses ${text}`),
    ...compiled.flatMap(violations),
  ];
  if (broken.length) process.stdout.write(`\n${broken.length} over the limits:\n${broken.map((text) => `  ${text}\n`).join('')}`);
  process.exitCode = broken.length ? 1 : 0;
}

/**
 * What the limits do not allow. Of rules whose pattern fits a kernel's key, a later one goes over an earlier one.
 * @param {Compiled} row
 */
function violations(row) {
  /** @type {Rule} */
  const rule = Object.assign({}, ...(limits ?? []).filter(({ pattern }) => pattern.test(row.key)).map((one) => one.rule));
  const spilled = spilledOf(row);
  const used = row.statistics.VGPRs ?? 0;
  const issue = row.loop?.issue;
  /** @type {string[]} */
  const found = [];
  if (spilled > (rule.mostSpilled ?? Infinity)) found.push(`${row.key}: ${spilled} VGPRs spilled, at most ${rule.mostSpilled}`);
  if (used > (rule.mostVgprs ?? Infinity)) found.push(`${row.key}: ${used} VGPRs, at most ${rule.mostVgprs}`);
  if (rule.leastIssue !== undefined && (issue === undefined || issue < rule.leastIssue)) {
    found.push(`${row.key}: issue ${issue?.toFixed(3) ?? 'unknown, no loop of multiply-adds'}, at least ${rule.leastIssue}`);
  }
  return found;
}
