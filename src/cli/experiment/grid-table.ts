// The studies of a grid as Markdown. Pure. What was not run says so.

import { errorOfDifference, mean, spread } from '../../base/statistics';
import { METHOD_LR } from '../../config/run-config';
import { gammaCell, gammas, leverCell, methodCell, METHOD_NAMES, periods, type Task } from './grid-cells';
import { bestOf, lossesOf, runsOf, type Cell, type Grid, type GridRun } from './grid-file';
import { LEVERS } from './variants';

const row = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const table = (head: readonly string[], rows: readonly string[]): string =>
  [row(...head), row(...head.map(() => '---')), ...rows].join('\n');

const lossCells = (runs: readonly GridRun[]): string[] => {
  const losses = lossesOf(runs);
  if (runs.length === 0) return ['not run', '', ''];
  if (losses.length < runs.length) return ['diverged', '', runs.map(({ after }) => after?.toFixed(4) ?? '–').join(' ')];
  const spreads = Number.isNaN(spread(losses)) ? 'one seed' : spread(losses).toFixed(4);
  return [mean(losses).toFixed(4), spreads, losses.map((loss) => loss.toFixed(4)).join(' ')];
};
const megabytes = (runs: readonly GridRun[]): string => (runs.length === 0 ? '' : (runs[0].peak / 1e6).toFixed(2));

/** Difference of two means in standard errors of that difference; NaN of single seeds. */
export function standardErrors(a: readonly number[], b: readonly number[]): number {
  return (mean(a) - mean(b)) / errorOfDifference(a, b);
}

const METHOD_TITLES = { lisa: 'LISA', full: 'full', lora: 'LoRA' } as const;

function methodsTable(grid: Grid, { seeds }: Task): string {
  const rows = METHOD_NAMES.map((method) => {
    const best = bestOf(grid, (factor) => methodCell(method, factor), seeds[0]);
    if (best === null) return row(METHOD_TITLES[method], 'not run', '', '', '', '', '');
    const runs = runsOf(grid, methodCell(method, best), seeds);
    const own = runs.flatMap((run) => run.own ?? []);
    const forgot = own.length === 0 || !grid.base ? 'not measured' : `${(mean(own) - grid.base.loss).toFixed(3)}`;
    return row(METHOD_TITLES[method], `${(best * METHOD_LR[method]).toPrecision(2)}`, ...lossCells(runs), megabytes(runs), forgot);
  });
  return table(
    ['method', 'best rate', 'held-out loss after, mean', 'standard deviation', 'seeds', 'peak memory, MB', 'KL from the base'],
    rows,
  );
}

function ratesTable(grid: Grid, { seeds }: Task): string {
  const factors = [...new Set(Object.keys(grid.runs).flatMap((key) => /^methods: .* rate × ([\d.]+),/.exec(key)?.[1] ?? []))]
    .map(Number)
    .sort((a, b) => a - b);
  const lossAt = (cell: Cell): string => {
    const [run] = runsOf(grid, cell, [seeds[0]]);
    return run ? (run.after?.toFixed(4) ?? 'diverged') : 'not run';
  };
  return table(
    [`rate, as a multiple (seed ${seeds[0]})`, ...factors.map(String)],
    METHOD_NAMES.map((method) =>
      row(`${METHOD_TITLES[method]}, × ${METHOD_LR[method]}`, ...factors.map((factor) => lossAt(methodCell(method, factor)))),
    ),
  );
}

function drawsTable(grid: Grid, task: Task): string {
  const rows = gammas(task).map((gamma) => {
    const best = bestOf(grid, (factor) => gammaCell(gamma, 5, factor), task.seeds[0]);
    const cells = periods(task).map((period) => {
      const losses = best === null ? [] : lossesOf(runsOf(grid, gammaCell(gamma, period, best), task.seeds));
      if (losses.length === 0) return 'not run';
      return `${mean(losses).toFixed(4)}${losses.length > 1 ? ` ± ${spread(losses).toFixed(4)}` : ''}`;
    });
    return row(`γ = ${gamma}`, best === null ? 'not run' : (best * METHOD_LR.lisa).toPrecision(2), ...cells);
  });
  const heads = periods(task).map((period) => (period === task.steps ? 'never drawn again' : `K = ${period}`));
  return table(['', 'best rate at K = 5', ...heads], rows);
}

function leversTable(grid: Grid, { seeds }: Task): string {
  const published = lossesOf(runsOf(grid, leverCell('published'), seeds));
  const rows = LEVERS.map(({ name }) => {
    const runs = runsOf(grid, leverCell(name), seeds);
    const losses = lossesOf(runs);
    const compared = name !== 'published' && losses.length > 1 && published.length > 1;
    const difference = compared ? `${(mean(losses) - mean(published)).toFixed(4)}` : '';
    const errors = compared ? standardErrors(losses, published) : NaN;
    return row(name, ...lossCells(runs), megabytes(runs), difference, Number.isFinite(errors) ? errors.toFixed(1) : '');
  });
  return table(
    ['lever', 'held-out loss after, mean', 'standard deviation', 'seeds', 'peak memory, MB', 'against published', 'in standard errors'],
    rows,
  );
}

/** All tables, with the device and the options. */
export function gridTables(grid: Grid, task: Task): string {
  const ran = (study: string): boolean => Object.keys(grid.runs).some((key) => key.startsWith(`${study}: `));
  return [
    `Device: ${grid.device ?? 'none yet'}. ${grid.date}. Options: ${grid.options.join(' ') || 'none'}. Seeds: ${task.seeds.join(' ')}.`,
    ...(ran('methods') ? [ratesTable(grid, task), methodsTable(grid, task)] : ['Methods: not run.']),
    ran('levers') ? leversTable(grid, task) : 'Levers: not run.',
    ran('draws') ? drawsTable(grid, task) : 'γ and K: not run.',
  ].join('\n\n');
}
