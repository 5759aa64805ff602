// `--continue-elsewhere`: writes a run as files for other engines (export/elsewhere), with the places where model and data
// are on this machine.

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { elsewhereFiles } from '../../export/elsewhere/elsewhere';
import { BUILTIN_DATASETS, BUILTIN_MODELS } from '../../io/sources/builtin';
import { plainFile } from '../../io/formats/export-file';
import type { OutputPlan } from '../../io/node/output-folder';
import type { RunInputs } from '../../train/prepare';

/** Throws CONFIG_INVALID, STORAGE. Returns the names of the files. */
export async function writeElsewhere(plan: OutputPlan, { config, files, chat }: RunInputs, publicFolder: string): Promise<string[]> {
  const place = (given: string, builtin: string | undefined): string =>
    existsSync(given) ? resolve(given) : builtin === undefined ? given : join(publicFolder, builtin);
  const made = elsewhereFiles({
    config,
    chat,
    model: place(config.model, BUILTIN_MODELS.find(({ id }) => id === config.model)?.path),
    style: files.shape.style,
    tied: files.shape.tied,
    data: place(config.data, BUILTIN_DATASETS.find(({ id }) => id === config.data)?.train),
  });
  const folder = await plan.claim();
  try {
    await folder.write(made.map(({ name, text }) => plainFile(name, new TextEncoder().encode(text))));
    await folder.finish();
  } finally {
    await folder.release();
  }
  return made.map(({ name }) => name);
}
