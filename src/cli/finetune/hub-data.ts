// A data set of the hub for the command line. Its first rows are read before anything is downloaded; then its files go into the cache, and a
// commit that is complete there needs no connection.

import { AppError } from '../../base/errors';
import type { ColumnMap } from '../../data/read/column-map';
import type { DataStream } from '../../data/read/text-stream';
import { HubClient } from '../../io/hub/client';
import { firstRows, lookAtDataset, parseDatasetName, storedDataset } from '../../io/hub/dataset';
import { downloadModel } from '../../io/hub/download';
import { ModelCache, type CachedModel } from '../../io/hub/model-cache';
import { isCommit } from '../../io/hub/names';
import { NodeModels } from '../../io/node/models';
import { progressLines, UNREACHED, type HubOptions } from './hub-model';
import { megabytes } from './print';

/** `name`: 'org/name@commit#config/split', the same rows at every later run. Throws HUB_…, DATASET_…, CONFIG_INVALID and STORAGE. */
export async function openHubDataset(
  text: string,
  map: ColumnMap | null,
  { hubUrl, cacheDir, token, say }: Omit<HubOptions, 'check'>,
): Promise<{ readonly data: DataStream; readonly name: string }> {
  const asked = parseDatasetName(text, hubUrl);
  const { repo, config, split } = asked;
  const cache = new ModelCache(new NodeModels(cacheDir));
  const opened = async (cached: CachedModel): Promise<{ data: DataStream; name: string }> => {
    const { model } = cached.manifest;
    const part = model.repo.split('/').slice(-2).join('/');
    return { data: await storedDataset(`${repo} (${part})`, cached.source()), name: `${repo}@${model.commit}#${part}` };
  };
  const stored = (): Promise<CachedModel | null> =>
    config === null || split === null
      ? Promise.resolve(null)
      : cache.findRevision(hubUrl, `datasets/${repo}/${config}/${split}`, asked.revision);
  if (isCommit(asked.revision)) {
    const cached = await stored();
    if (cached) return opened(cached);
  }
  const client = new HubClient({ url: hubUrl, token });
  try {
    const look = await lookAtDataset(client, asked);
    const found = await cache.find(look.model);
    if (found?.whole) return await opened(found);
    const total = look.files.reduce((sum, { bytes }) => sum + bytes, 0);
    const part = look.partial ? ', the first part of it, which is all that the hub has converted' : '';
    say(`${repo}, configuration ${look.config}, split ${look.split}: ${megabytes(total)}${part}. Its first row:`);
    const [row = ''] = await firstRows(client, look, map);
    if (row === '')
      throw new AppError(
        'DATASET_EMPTY',
        `${repo} has no rows in the first file of ${look.config}/${look.split}.`,
        'Choose another configuration or split.',
      );
    say(`  ${row.length > 300 ? `${row.slice(0, 300)}…` : row}`);
    return await opened(await downloadModel(client, cache, look.model, look.files, { onState: progressLines(say), onWait: say }));
  } catch (thrown) {
    const cached = thrown instanceof AppError && UNREACHED.has(thrown.code) ? await stored() : null;
    if (!cached) throw thrown;
    say(`${hubUrl} cannot be reached; ${repo} is used from the cache, at commit ${cached.manifest.model.commit}.`);
    return opened(cached);
  }
}
