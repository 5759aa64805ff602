// Looks up a model of a hub before its download: whether it can be used at all, what it is, and which of its files a run needs.

import { hasTokenizer } from '../sources/tokenizer-text';
import { AppError } from '../../base/errors';
import { parameterCount } from '../../model/parameters';
import type { Dtype, ModelShape, CheckpointTypes } from '../../model/types';
import { compactTypes } from '../sources/model-facts';
import { openModel } from '../sources/model-files';
import type { HubClient, RepoFile } from './client';
import { hubSource } from './hub-source';
import { LOOK_PATIENCE, patiently, type Patience } from './retry';

export interface HubLook {
  readonly commit: string;
  readonly shape: ModelShape;
  readonly parameters: number;
  readonly dtypes: Readonly<Record<Dtype, number>>;
  readonly types: CheckpointTypes;
  /** The files to download: small ones first, the weights last. */
  readonly files: readonly RepoFile[];
  readonly licence: string | null;
  readonly gated: boolean;
}

/** Reads the list of files, config.json, the index and the headers of the weights. Throws what the client and openModel throw. */
export async function lookAtModel(
  client: HubClient,
  repo: string,
  revision: string,
  patience: Patience = LOOK_PATIENCE,
  signal?: AbortSignal,
): Promise<HubLook> {
  const info = await patiently(() => client.info(repo, revision, signal), patience, signal);
  const model = await openModel(hubSource(client, repo, info, patience, signal));
  if (!hasTokenizer(model.passthrough))
    throw new AppError(
      'TOKENIZER',
      `${repo} has no tokenizer.json.`,
      'Choose a model with a tokenizer.json; most newer repositories have one.',
    );
  const wanted = [...model.passthrough, ...model.modelPaths];
  return {
    commit: info.commit,
    shape: model.shape,
    parameters: parameterCount(model.table),
    dtypes: model.dtypes,
    types: compactTypes(model.types),
    files: wanted.map((path) => info.files.find((file) => file.path === path)!),
    licence: info.licence,
    gated: info.gated,
  };
}
