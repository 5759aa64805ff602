// Importance from how far a finished LISA run moved each layer: its report.json says it.

import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../base/errors';
import { isFingerprint, isWeight } from '../../config/importance';
import { isObject } from '../../config/kinds';
import { movementWeights, type ImportanceProfile } from '../../lisa/profile';
import type { PeriodUpdate, RunReport } from '../../train/events';

/** `place`: the run's folder, or its report.json. Throws CONFIG_INVALID with what is missing. */
export async function profileOfRun(place: string): Promise<ImportanceProfile> {
  const file = (await stat(place).catch(() => null))?.isDirectory() ? join(place, 'report.json') : place;
  const refuse = (detail: string, remedy = 'Give the folder of a finished LISA run.'): never => {
    throw new AppError('CONFIG_INVALID', `--from-run: ${detail}`, remedy);
  };
  const text = await readFile(file, 'utf8').catch(() => refuse(`${file} cannot be read.`));
  let report: Partial<RunReport> = {};
  try {
    const json: unknown = JSON.parse(text);
    if (!isObject(json)) refuse(`${file} is not the report of a run.`);
    report = json as Partial<RunReport>;
  } catch (thrown) {
    if (thrown instanceof AppError) throw thrown;
    refuse(`${file} is not valid JSON.`);
  }
  const { model, data, updates, method } = report;
  if (method !== 'lisa') refuse(`${file} is not the report of a LISA run.`);
  if (!model || !isFingerprint(model.fingerprint) || !Number.isInteger(model.layers))
    return refuse(`${file} does not say which model was trained.`, 'Reports of earlier versions do not; train once more.');
  const moves = (Array.isArray(updates) ? (updates as PeriodUpdate[]) : []).map((period) => ({
    layers: (Array.isArray(period.layers) ? period.layers : []).filter(({ layer, change }) => Number.isInteger(layer) && isWeight(change)),
  }));
  return {
    source: 'updates',
    model: { name: model.name, fingerprint: model.fingerprint, layers: model.layers },
    data: data ?? null,
    norms: null,
    steps: report.steps ?? 0,
    weights: movementWeights(model.layers, moves),
  };
}
