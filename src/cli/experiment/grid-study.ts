// `npm run experiment -- methods|draws|levers|all`: runs over a grid of settings on one task, each kept in a JSON file as soon as it has ended, so
// that a study goes on where it was stopped. Tables and plots are made from that file.

import { mean } from '../../base/statistics';
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { AppError, errorInfo } from '../../base/errors';
import { DEFAULTS, METHOD_LR, type Method } from '../../config/run-config';
import { writeText } from '../../io/node/output';
import type { Terminal } from '../terminal';
import { draws, levers, methodCell, METHOD_NAMES, methods, type Ask, type Task } from './grid-cells';
import { bestOf, keyOf, lossesOf, runsOf, type Cell, type Grid, type GridRun } from './grid-file';
import { frontierPlot, ratesPlot } from './grid-plot';
import { gridTables } from './grid-table';
import { expectOf } from './expect';
import type { Study } from './study-file';
import { lossOnText, ownPrompts, sampleOwnText } from './own-text';
import { runOnce } from './run-once';

const STUDIES = { methods: [methods], draws: [draws], levers: [levers], all: [methods, levers, draws] } as const;
export type GridName = keyof typeof STUDIES | 'quick';
export const isGridName = (name: string | undefined): name is GridName => name === 'quick' || Object.hasOwn(STUDIES, name ?? '');

/** Where figures are kept that documents and page show, and the models that have some. */
const RESULTS = 'docs/results';
const MODELS = ['wordsmith-2m', 'stories260k'] as const;

const HELP = `npm run experiment -- methods|draws|levers|all|quick [--out <file.json>] [--seeds 1,2,3] [options of finetune]

methods  every method at the best of at least four learning rates, and what it forgets of the base's own text
draws    γ of 1, 2, 4 and all layers, K of 1, 5, 25 and all steps, with the learning rate chosen for γ
levers   LISA with each lever that saves memory
quick    every method at the learning rates that --out has found, in a file of its own

Finished runs are kept in the file (default: docs/results/<model>.json); a run that it has is not repeated.
`;

interface Args {
  readonly out: string;
  readonly seeds: readonly number[];
  readonly rest: readonly string[];
}

const valueOf = (args: readonly string[], flag: string): string | undefined => args[args.indexOf(flag) + 1];

function parse(args: readonly string[]): Args {
  const rest = [...args];
  const take = (flag: string): string | null => {
    const at = rest.indexOf(flag);
    return at < 0 ? null : (rest.splice(at, 2)[1] ?? '');
  };
  const out = take('--out');
  const seeds = (take('--seeds') ?? '1,2,3').split(',').map((text) => (/^\d{1,9}$/.test(text) ? Number(text) : NaN));
  if (seeds.some(Number.isNaN)) throw new AppError('CONFIG_INVALID', '--seeds cannot be read.', 'Enter numbers, such as 1,2,3.');
  if (out !== null && !out.endsWith('.json'))
    throw new AppError('CONFIG_INVALID', `--out: '${out}' is not a .json file.`, 'Enter the name of one.');
  const model = rest.includes('--model') ? basename(valueOf(rest, '--model') ?? '') : 'wordsmith-2m';
  return { out: out ?? `${RESULTS}/${model}.json`, seeds, rest };
}

function readGrid(text: string | null, options: readonly string[], name: string): Grid {
  if (text === null) return { options, date: new Date().toISOString().slice(0, 10), device: null, base: null, runs: {} };
  const grid = JSON.parse(text) as Grid;
  if (JSON.stringify(grid.options) !== JSON.stringify(options))
    throw new AppError(
      'CONFIG_INVALID',
      `${name} holds runs with other options: ${grid.options.join(' ') || 'none'}.`,
      'Give the same options, or another --out.',
    );
  return grid;
}

/** Exit status. */
export async function runGridStudy(name: GridName, args: readonly string[], terminal: Terminal): Promise<number> {
  if (args.includes('--help')) {
    terminal.stdout(HELP);
    return 0;
  }
  try {
    await (name === 'quick' ? quick(parse(args), terminal) : study(name, parse(args), terminal));
    return 0;
  } catch (thrown) {
    const { detail, remedy } = errorInfo(thrown);
    terminal.stderr(`experiment: ${detail} ${remedy}\n`);
    return 2;
  }
}

/** The recorded best rates, without a search. */
async function quick({ out, seeds, rest }: Args, terminal: Terminal): Promise<void> {
  const found = readGrid(await readFile(out, 'utf8').catch(() => null), rest, out);
  const to = await open({ out: out.replace(/\.json$/, '.quick.json'), seeds, rest }, terminal);
  for (const method of METHOD_NAMES) {
    const best = bestOf(found, (factor) => methodCell(method, factor), seeds[0]);
    if (best === null)
      throw new AppError('CONFIG_INVALID', `${out} has no learning rate for ${method}.`, 'Run npm run experiment -- methods first.');
    await to.ask(methodCell(method, best), seeds);
  }
  terminal.stdout(`${gridTables(to.grid(), { seeds, layers: to.layers, steps: to.steps })}\n`);
}

async function study(name: keyof typeof STUDIES, args: Args, terminal: Terminal): Promise<void> {
  const { out, seeds } = args;
  const opened = await open(args, terminal);
  const task: Task = { seeds, layers: opened.layers, steps: opened.steps };
  for (const part of STUDIES[name]) await part(opened.ask, task);
  const place = out.replace(/\.json$/, '');
  const known = opened.grid();
  await writeText(`${place}-rates.svg`, ratesPlot(known, seeds[0]));
  await writeText(`${place}-frontier.svg`, frontierPlot(known, seeds));
  if (dirname(out) === RESULTS) await tellPage(task);
  terminal.stdout(`${gridTables(known, task)}\n`);
}

/** The page shows the figures of the built-in model, and what levers cost on every model that was tried. */
async function tellPage({ seeds }: Task): Promise<void> {
  const read = async <T>(name: string): Promise<T | null> => {
    const text = await readFile(`${RESULTS}/${name}.json`, 'utf8').catch(() => null);
    return text === null ? null : (JSON.parse(text) as T);
  };
  const grids = new Map<string, Grid>();
  for (const model of MODELS) {
    const grid = await read<Grid>(model);
    if (grid) grids.set(model, grid);
  }
  const grid = grids.get(MODELS[0]);
  if (!grid) return;
  const told = expectOf(grid, await read<Study>('importance'), grids, { seeds, steps: DEFAULTS.steps });
  await writeText('src/ui/expect/recorded.json', `${JSON.stringify(told, null, 1)}\n`);
}

interface Opened {
  readonly ask: Ask;
  readonly grid: () => Grid;
  readonly layers: number;
  readonly steps: number;
}

/** Reads the file, and samples the base's own text if it has none. */
async function open({ out, rest }: Args, terminal: Terminal): Promise<Opened> {
  let known = readGrid(await readFile(out, 'utf8').catch(() => null), rest, out);
  const keep = async (next: Grid): Promise<void> => {
    known = next;
    await writeText(out, `${JSON.stringify(known, null, 1)}\n`);
  };
  const chats = !rest.includes('--model');
  const model = chats ? [] : ['--model', valueOf(rest, '--model') ?? ''];
  const data = rest.includes('--data') ? ['--data', valueOf(rest, '--data') ?? ''] : [];
  const base = known.base ?? (await sampleOwnText(terminal, [...model, ...data], ownPrompts(chats)));
  const { layers, texts } = base;
  if (!known.base) await keep({ ...known, base: { ...base, loss: await lossOnText(terminal, model, texts, chats) } });
  const run = async (cell: Cell, seed: number): Promise<GridRun> => {
    const key = keyOf(cell, seed);
    const lr = cell.factor * METHOD_LR[valueOf(cell.args, '--method') as Method];
    let own: number | null = null;
    const look = async (folder: string): Promise<void> => {
      if (cell.study === 'methods') own = await lossOnText(terminal, ['--model', folder], texts, chats);
    };
    const args = [...rest, ...cell.args, '--lr', String(lr), '--seed', String(seed), '--prompt', 'a', '--sample-tokens', '1'];
    const failed = (): never => {
      throw new Diverged();
    };
    try {
      const { report } = await runOnce(terminal, key, args, { look, onFailure: failed });
      const device = `${report.device.description}${report.device.software ? ' (software)' : ''}`;
      if (known.device !== device) await keep({ ...known, device });
      return { before: report.evalLoss[0].loss, after: report.evalLoss.at(-1)!.loss, peak: report.memory.peak.total, lr, own };
    } catch (thrown) {
      if (!(thrown instanceof Diverged)) throw thrown;
      return { before: NaN, after: null, peak: NaN, lr, own: null };
    }
  };
  const ask: Ask = async (cell, of) => {
    for (const seed of of) {
      const key = keyOf(cell, seed);
      if (known.runs[key]) continue;
      const result = await run(cell, seed);
      await keep({ ...known, runs: { ...known.runs, [key]: result } });
    }
    const runs = runsOf(known, cell, of);
    const losses = lossesOf(runs);
    return losses.length < runs.length ? NaN : mean(losses);
  };
  const steps = rest.includes('--steps') ? Number(valueOf(rest, '--steps')) : DEFAULTS.steps;
  return { ask, grid: () => known, layers, steps };
}

class Diverged extends Error {}
