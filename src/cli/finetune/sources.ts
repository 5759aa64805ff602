// Where the programs find what a run reads: the model and the data, by the names that a person gave.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../base/errors';
import type { RunConfig } from '../../config/run-config';
import { DATA_ENDINGS } from '../../data/read/detect-shape';
import type { DataStream } from '../../data/read/text-stream';
import { looksLikeHubName, parseToken } from '../../io/hub/names';
import { defaultCacheDir } from '../../io/node/models';
import { nodeModel, openDataFile } from '../../io/node/source';
import { BUILTIN_DATASETS, BUILTIN_MODELS } from '../../io/sources/builtin';
import type { FileSource } from '../../io/sources/file-source';
import type { ModelShape } from '../../model/types';
import type { RunFiles } from '../../train/prepare';
import { openHubDataset } from './hub-data';
import { openHubModel } from './hub-model';
import type { FinetuneIo } from './io';
import type { FinetuneOptions } from './options';

type Places = Pick<FinetuneIo, 'publicFolder' | 'env' | 'stderr'>;

/** The folder of a model on this machine; the text as it is if it names one of the hub. */
export function modelPath(model: string, { publicFolder }: Pick<FinetuneIo, 'publicFolder'>): string {
  const builtin = existsSync(model) ? undefined : BUILTIN_MODELS.find(({ id }) => id === model);
  return builtin ? join(publicFolder, builtin.path) : model;
}

const builtinData = (data: string): (typeof BUILTIN_DATASETS)[number] | undefined =>
  existsSync(data) ? undefined : BUILTIN_DATASETS.find(({ id }) => id === data);

export function dataPath(data: string, publicFolder: string): string {
  const builtin = builtinData(data);
  return builtin ? join(publicFolder, builtin.train) : data;
}

/** `name`: how a resumed run finds the same weights. `check` is called before anything large is loaded. */
export async function resolveModel(
  model: string,
  { hubUrl, cacheDir }: FinetuneOptions,
  io: Places,
  check: (shape: ModelShape) => void,
): Promise<{ source: FileSource; name: string }> {
  const path = modelPath(model, io);
  if (existsSync(path) || !looksLikeHubName(model)) return { source: await nodeModel(path), name: model };
  try {
    return await openHubModel(model, {
      hubUrl,
      cacheDir: cacheDir ?? defaultCacheDir(io.env),
      token: parseToken(io.env.HF_TOKEN),
      say: (line) => io.stderr(`${line}\n`),
      check,
    });
  } catch (thrown) {
    if (!(thrown instanceof AppError) || !thrown.code.startsWith('HUB_')) throw thrown;
    throw new AppError(
      thrown.code,
      `--model ${model}: this directory does not exist. As a model of the hub: ${thrown.detail}`,
      thrown.remedy,
      {
        cause: thrown,
      },
    );
  }
}

/** `name`, `evalName`: how a resumed run finds the same rows. */
export async function resolveData(
  config: RunConfig,
  options: FinetuneOptions,
  io: Places,
): Promise<Omit<RunFiles, 'model'> & { readonly name: string; readonly evalName: string | null }> {
  const { publicFolder } = io;
  const builtin = builtinData(config.data);
  const evalPath = config.evalData ?? (builtin ? join(publicFolder, builtin.evaluation) : null);
  const main = await openData('--data', config.data, dataPath(config.data, publicFolder), config, options, io);
  const held = evalPath === null ? null : await openData('--eval-data', evalPath, evalPath, config, options, io);
  return {
    data: main.data,
    evalData: held?.data ?? null,
    name: main.name,
    evalName: config.evalData === null ? null : (held?.name ?? null),
  };
}

/** A file, or a data set of the hub. */
async function openData(
  flag: string,
  given: string,
  path: string,
  { columns }: RunConfig,
  { hubUrl, cacheDir }: FinetuneOptions,
  io: Places,
): Promise<{ readonly data: DataStream; readonly name: string }> {
  if (existsSync(path) || !looksLikeDataset(path)) return { data: await openDataFile(path), name: given };
  try {
    return await openHubDataset(path, columns, {
      hubUrl,
      cacheDir: cacheDir ?? defaultCacheDir(io.env),
      token: parseToken(io.env.HF_TOKEN),
      say: (line) => io.stderr(`${line}\n`),
    });
  } catch (thrown) {
    if (!(thrown instanceof AppError) || !thrown.code.startsWith('HUB_')) throw thrown;
    const detail = `${flag} ${given}: this file does not exist. As a data set of the hub: ${thrown.detail}`;
    throw new AppError(thrown.code, detail, thrown.remedy, { cause: thrown });
  }
}

/** A name or address on the hub, with what stands behind it; what ends like a data file is one. */
const looksLikeDataset = (text: string): boolean =>
  looksLikeHubName(text.replace(/#.*$/, '')) && !DATA_ENDINGS.some((ending) => text.toLowerCase().endsWith(`.${ending}`));

/** Settings that a person did not set adapt to a small model instead of refusing it. */
export function adaptDefaults({ config, explicit }: FinetuneOptions, bounds: { layers: number; maxPositions: number }): RunConfig {
  return {
    ...config,
    seqLen: explicit.has('seqLen') ? config.seqLen : Math.min(config.seqLen, bounds.maxPositions),
    lisaLayers: explicit.has('lisaLayers') ? config.lisaLayers : Math.min(config.lisaLayers, bounds.layers),
  };
}
