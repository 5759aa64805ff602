// A hub's model for the command line: it is looked up, downloaded into the cache with its progress on standard error,
// and opened from there. A commit that is complete in the cache needs no connection.

import { isCommit, parseHubName } from '../../io/hub/names';
import { AppError } from '../../base/errors';
import type { FileSource } from '../../io/sources/file-source';
import { HubClient } from '../../io/hub/client';
import { downloadModel } from '../../io/hub/download';
import { lookAtModel } from '../../io/hub/look';
import { ModelCache, type CachedModel } from '../../io/hub/model-cache';
import { NodeModels } from '../../io/node/models';
import type { ModelShape } from '../../model/types';
import type { DownloadState } from '../../io/hub/types';
import { duration, megabytes } from './print';

export interface HubOptions {
  readonly hubUrl: string;
  readonly cacheDir: string;
  /** Sent to the hub's origin only, and printed nowhere. */
  readonly token: string | null;
  /** A line for a person. */
  readonly say: (line: string) => void;
  /** Throws if the settings do not fit the model; called before its weights are downloaded. */
  readonly check: (shape: ModelShape) => void;
}

export interface OpenedHubModel {
  readonly source: FileSource;
  /** 'org/name@commit': the same weights at every later run. */
  readonly name: string;
}

/** Throws HUB_…, MODEL_…, TOKENIZER, STORAGE, and what `check` throws. */
export async function openHubModel(text: string, { hubUrl, cacheDir, token, say, check }: HubOptions): Promise<OpenedHubModel> {
  const { repo, revision } = parseHubName(text, hubUrl);
  const cache = new ModelCache(new NodeModels(cacheDir));
  const opened = (cached: CachedModel): OpenedHubModel => ({ source: cached.source(), name: `${repo}@${cached.manifest.model.commit}` });
  const stored = (): Promise<CachedModel | null> => cache.findRevision(hubUrl, repo, revision);
  if (isCommit(revision)) {
    const cached = await stored();
    if (cached) return opened(cached);
  }
  const client = new HubClient({ url: hubUrl, token });
  try {
    const look = await lookAtModel(client, repo, revision);
    check(look.shape);
    const model = { kind: 'hub', hub: hubUrl, repo, revision, commit: look.commit } as const;
    return opened(await downloadModel(client, cache, model, look.files, { onState: progressLines(say), onWait: say }));
  } catch (thrown) {
    const cached = thrown instanceof AppError && UNREACHED.has(thrown.code) ? await stored() : null;
    if (!cached) throw thrown;
    say(`${hubUrl} cannot be reached; ${repo} is used from the cache, at commit ${cached.manifest.model.commit}.`);
    return opened(cached);
  }
}

export const UNREACHED: ReadonlySet<string> = new Set(['HUB_SERVER', 'HUB_CONNECTION', 'HUB_STALLED']);

/** Pause between two lines of progress. */
const LINE_MS = 5000;

export function progressLines(say: (line: string) => void): (state: DownloadState) => void {
  let last = performance.now();
  return ({ model, phase, bytes, total, speed, secondsLeft, retry }) => {
    if (phase === 'waiting' && retry)
      return say(`${retry.error.detail} Attempt ${retry.attempt} of ${retry.of} follows in ${retry.seconds} s.`);
    if (phase === 'done') return say(`${model.repo} is complete: ${megabytes(total)}, every digest correct.`);
    if (phase !== 'downloading' || performance.now() < last + LINE_MS) return;
    last = performance.now();
    const rate = speed === null ? '' : `, ${megabytes(speed)}/s`;
    const left = secondsLeft === null ? '' : `, ${duration(secondsLeft)} left`;
    say(`${model.repo}: ${((100 * bytes) / total).toFixed(0)} % of ${megabytes(total)}${rate}${left}`);
  };
}
