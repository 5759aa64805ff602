// What the worker does about models of a hub: looks, one download at a time, and the cache. The token lives in a field
// of this object and nowhere else.

import { AppError, errorInfo } from '../base/errors';
import { parseHubUrl, DEFAULT_HUB, parseToken } from '../io/hub/names';
import { HubClient, type ClientOptions, type HubAccess, type RepoFile } from '../io/hub/client';
import { downloadModel } from '../io/hub/download';
import { lookAtModel } from '../io/hub/look';
import { keyOf, type ModelCache } from '../io/hub/model-cache';
import { allowMirror } from '../io/browser/guarded-fetch';
import type { Patience } from '../io/hub/retry';
import { compactTypes } from '../io/sources/model-facts';
import { openModel } from '../io/sources/model-files';
import { parameterCount } from '../model/parameters';
import type { HubCommand, HubEvent } from './protocol-hub';
import type { DownloadState, HubModel, ModelUse, Preflight } from '../io/hub/types';

export interface HubServiceDeps {
  readonly cache: ModelCache;
  post(event: HubEvent): void;
  /** What uses models right now, apart from downloads. */
  uses(): Promise<(model: HubModel) => ModelUse | null>;
  /** Closes the run that has ended, which reads from its model. */
  closeEnded(): Promise<void>;
  /** Shorter waits, for tests. */
  readonly patience?: Patience;
  readonly client?: ClientOptions;
}

interface Download {
  readonly model: HubModel;
  readonly controller: AbortController;
  readonly settled: Promise<void>;
}

/** Why a download was ended. */
const PAUSE = new Error('The download is paused.');
const CANCEL = new Error('The download is cancelled.');

/** Uses during which a model is not deleted. */
const USED: Readonly<Record<Exclude<ModelUse, 'ended run'>, { readonly how: string; readonly remedy: string }>> = {
  download: { how: 'is being downloaded', remedy: 'Cancel the download.' },
  run: { how: 'is the model of the current run', remedy: 'Stop or discard that run first.' },
  checkpoint: { how: 'is the model of an unfinished run', remedy: 'Resume and finish that run, or discard it.' },
};

export class HubService {
  readonly #deps: HubServiceDeps;
  #access: HubAccess = { url: DEFAULT_HUB, token: null };
  #look: AbortController | null = null;
  #download: Download | null = null;
  /** Files of models that were looked at, so that a download does not look again. */
  readonly #known = new Map<string, readonly RepoFile[]>();
  #last: DownloadState | null = null;
  #listed = false;

  constructor(deps: HubServiceDeps) {
    this.#deps = deps;
  }

  /** Does not wait for long work. Never throws: an error becomes an event. */
  async handle(command: HubCommand): Promise<void> {
    switch (command.type) {
      case 'hub':
        if (command.mirror) allowMirror(command.mirror);
        this.#access = { url: parseHubUrl(command.url), token: parseToken(command.token) };
        return;
      case 'preflight':
        void this.#preflight(command.id, command.repo, command.revision, command.commit);
        return;
      case 'download':
        return this.#start(command.model);
      case 'pauseDownload':
        return this.#end(PAUSE);
      case 'cancelDownload':
        return this.#end(CANCEL);
      case 'listModels':
        return this.#list();
      case 'deleteModel':
        return this.#delete(command.model);
    }
  }

  #client(hub: string): HubClient {
    // The token is for the address that it was given with.
    const token = hub === this.#access.url ? this.#access.token : null;
    return new HubClient({ url: hub, token }, this.#deps.client);
  }

  async #preflight(id: number, repo: string, revision: string, commit: string | undefined): Promise<void> {
    this.#look?.abort();
    const controller = new AbortController();
    this.#look = controller;
    const current = (): boolean => this.#look === controller;
    try {
      const hub = this.#access.url;
      const preflight =
        (commit !== undefined && (await this.#fromCache({ kind: 'hub', hub, repo, revision, commit }))) ||
        (await this.#fromHub(hub, repo, revision, controller.signal));
      if (current()) this.#deps.post({ type: 'preflight', id, preflight });
    } catch (thrown) {
      if (current()) this.#deps.post({ type: 'preflightFailed', id, error: errorInfo(thrown) });
    }
  }

  async #fromHub(hub: string, repo: string, revision: string, signal: AbortSignal): Promise<Preflight> {
    const look = await lookAtModel(this.#client(hub), repo, revision, this.#deps.patience, signal);
    const model: HubModel = { kind: 'hub', hub, repo, revision, commit: look.commit };
    this.#known.set(keyOf(model), look.files);
    const cached = await this.#deps.cache.find(model);
    const { shape, parameters, dtypes, types, licence, gated } = look;
    const files = look.files.map(({ path, bytes }) => ({ path, bytes }));
    return {
      model,
      shape,
      parameters,
      dtypes,
      types,
      files,
      bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
      cachedBytes: (await cached?.bytes()) ?? 0,
      whole: cached?.whole ?? false,
      licence,
      gated,
    };
  }

  /** Null if it is incomplete. */
  async #fromCache(model: HubModel): Promise<Preflight | null> {
    const cached = await this.#deps.cache.find(model);
    if (!cached?.whole) return null;
    const { shape, table, dtypes, types } = await openModel(cached.source());
    const files = cached.manifest.files.map(({ path, bytes }) => ({ path, bytes }));
    const bytes = cached.total;
    return {
      model,
      shape,
      parameters: parameterCount(table),
      dtypes,
      types: compactTypes(types),
      files,
      bytes,
      cachedBytes: bytes,
      whole: true,
      licence: null,
      gated: false,
    };
  }

  async #start(model: HubModel): Promise<void> {
    if (this.#download) {
      if (keyOf(this.#download.model) === keyOf(model)) return;
      const error = new AppError(
        'CONFIG_INVALID',
        `${this.#download.model.repo} is being downloaded.`,
        'Pause or finish that download first.',
      );
      this.#tell(model, { phase: 'failed', error: errorInfo(error) });
      return;
    }
    const controller = new AbortController();
    this.#last = null;
    this.#download = { model, controller, settled: this.#run(model, controller) };
    // What can be said at once comes before the next command.
    await Promise.resolve();
  }

  /** Never rejects. */
  async #run(model: HubModel, { signal }: AbortController): Promise<void> {
    this.#tell(model, { phase: 'starting' });
    try {
      const client = this.#client(model.hub);
      const files = (await this.#deps.cache.find(model))?.manifest.files ?? (await this.#filesOf(client, model, signal));
      const cached = await downloadModel(client, this.#deps.cache, model, files, {
        signal,
        patience: this.#deps.patience,
        onState: (state) => this.#post(state),
      });
      this.#tell(model, { phase: 'done', bytes: cached.total, total: cached.total });
    } catch (thrown) {
      if (signal.aborted && signal.reason === CANCEL) await this.#deps.cache.remove(model).catch(() => undefined);
      if (signal.aborted) this.#tell(model, signal.reason === CANCEL ? { phase: 'cancelled', bytes: 0 } : { phase: 'paused' });
      else this.#tell(model, { phase: 'failed', error: errorInfo(thrown) });
    } finally {
      this.#download = null;
      await this.#list();
    }
  }

  async #filesOf(client: HubClient, model: HubModel, signal: AbortSignal): Promise<readonly RepoFile[]> {
    const known = this.#known.get(keyOf(model));
    return known ?? (await lookAtModel(client, model.repo, model.commit, this.#deps.patience, signal)).files;
  }

  async #end(reason: Error): Promise<void> {
    const download = this.#download;
    if (download) {
      download.controller.abort(reason);
      await download.settled;
    } else if (reason === CANCEL && this.#last && this.#last.phase !== 'done') {
      // A paused or failed download.
      const { model } = this.#last;
      await this.#deps.cache.remove(model);
      this.#tell(model, { phase: 'cancelled', bytes: 0 });
      await this.#list();
    }
  }

  async #list(): Promise<void> {
    try {
      this.#listed = true;
      const { cache } = this.#deps;
      const stored = await cache.list();
      const useOf = await this.#uses();
      const models = stored.map((entry) => ({ ...entry, usedBy: useOf(entry.model) }));
      this.#deps.post({ type: 'models', models, storage: await cache.root.estimate() });
    } catch (thrown) {
      this.#deps.post({ type: 'modelsFailed', error: errorInfo(await this.#deps.cache.root.fault(thrown, 'The list of models', 0)) });
    }
  }

  /** Sends the list again if the page has asked for it, because uses may have changed. Never rejects. */
  async listAgain(): Promise<void> {
    if (this.#listed) await this.#list();
  }

  async #uses(): Promise<(model: HubModel) => ModelUse | null> {
    const download = this.#download && keyOf(this.#download.model);
    const byRun = await this.#deps.uses();
    return (model) => (keyOf(model) === download ? 'download' : byRun(model));
  }

  async #delete(model: HubModel): Promise<void> {
    try {
      const use = (await this.#uses())(model);
      if (use === 'ended run') await this.#deps.closeEnded();
      else if (use) throw new AppError('STORAGE', `${model.repo} ${USED[use].how}.`, USED[use].remedy);
      await this.#deps.cache.remove(model);
      await this.#list();
    } catch (thrown) {
      this.#deps.post({ type: 'modelsFailed', error: errorInfo(await this.#deps.cache.root.fault(thrown, model.repo, 0)) });
    }
  }

  #tell(model: HubModel, change: Partial<DownloadState> & Pick<DownloadState, 'phase'>): void {
    const { bytes, total } = this.#last ?? { bytes: 0, total: 0 };
    this.#post({ model, bytes, total, speed: null, secondsLeft: null, file: null, retry: null, error: null, ...change });
  }

  #post(download: DownloadState): void {
    this.#last = download;
    this.#deps.post({ type: 'download', download });
  }
}
