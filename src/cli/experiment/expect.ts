// What the page tells people to expect, beside the choice of a method: the recorded figures of the built-in model on its data, and nothing else.

import { mean, spread } from '../../base/statistics';
import { methodCell, METHOD_NAMES, leverCell } from './grid-cells';
import { bestOf, lossesOf, runsOf, type Grid } from './grid-file';
import { standardErrors } from './grid-table';
import { runsOf as drawRuns, STUDY_DRAWS, type Study } from './study-file';
import { LEVERS } from './variants';

/** Levers with which LISA ended higher than as published, by more than two standard errors. */
function costsOf(model: string, grid: Grid, seeds: readonly number[]): object[] {
  const published = lossesOf(runsOf(grid, leverCell('published'), seeds));
  return LEVERS.slice(1).flatMap(({ name }) => {
    const losses = lossesOf(runsOf(grid, leverCell(name), seeds));
    const apart = standardErrors(losses, published) > 2;
    return apart ? [{ model, lever: name, by: mean(losses) - mean(published), spread: spread(published) }] : [];
  });
}

/**
 * The page's file (src/ui/expect/recorded.json). Studies that were not run are empty lists. `grids`: of all models, by name, for what levers
 * cost.
 */
export function expectOf(
  grid: Grid,
  study: Study | null,
  grids: ReadonlyMap<string, Grid>,
  { seeds, steps }: { seeds: readonly number[]; steps: number },
): object {
  const methods = METHOD_NAMES.flatMap((method) => {
    const best = bestOf(grid, (factor) => methodCell(method, factor), seeds[0]);
    const runs = best === null ? [] : runsOf(grid, methodCell(method, best), seeds);
    const own = runs.flatMap((run) => run.own ?? []);
    if (lossesOf(runs).length === 0) return [];
    const forgot = own.length > 0 && grid.base ? { forgot: mean(own) - grid.base.loss } : {};
    return [{ method, lr: runs[0].lr, before: runs[0].before, after: lossesOf(runs), peak: runs[0].peak, ...forgot }];
  });
  const levers = LEVERS.slice(1).flatMap(({ name }) => {
    const runs = runsOf(grid, leverCell(name), seeds);
    return lossesOf(runs).length === 0 ? [] : [{ name, after: lossesOf(runs), peak: runs[0].peak }];
  });
  const draws = STUDY_DRAWS.flatMap((name) => {
    const runs = study ? drawRuns(study, name) : [];
    return runs.length === 0 ? [] : [{ name, after: runs.map(({ after }) => after) }];
  });
  const costs = [...grids].flatMap(([model, of]) => costsOf(model, of, seeds));
  return { date: grid.date, device: grid.device, steps, methods, levers, draws, costs };
}
