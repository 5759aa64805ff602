// What the page and its worker say to each other about models of a hub: types only, plain data. Nothing here holds the
// token but the one command that hands it over.

import type { ErrorInfo } from '../base/errors';
import type { DownloadState, HubModel, Preflight, StorageEstimate, StoredModel } from '../io/hub/types';

export type HubCommand =
  /**
   * The hub's address and the token for it, until the next such command or the worker's end. The token is sent to the address's
   * origin only, and stored nowhere.
   */
  | {
      readonly type: 'hub';
      readonly url: string;
      readonly token: string | null;
      /** What the page’s own server says of a mirror: no other is asked. */
      readonly mirror?: { readonly url?: unknown; readonly redirects?: unknown };
    }
  /**
   * Looks at a model without its weights; answered by 'preflight' or 'preflightFailed' with the same id. A newer one replaces an
   * older. For the commit of a model that is complete in the cache, the hub is not asked.
   */
  | { readonly type: 'preflight'; readonly id: number; readonly repo: string; readonly revision: string; readonly commit?: string }
  /** Downloads the model into the cache and continues where an earlier download of it ended; 'download' events report it. One at a time. */
  | { readonly type: 'download'; readonly model: HubModel }
  /** Ends the download and keeps what has arrived. */
  | { readonly type: 'pauseDownload' }
  /** Ends the download and removes what has arrived. */
  | { readonly type: 'cancelDownload' }
  /** Answered by 'models'. */
  | { readonly type: 'listModels' }
  /**
   * Removes a model from the cache; answered by 'models', or by 'modelsFailed' if a download, a current run or an unfinished
   * one uses it. A run that has ended is closed with it ('closed').
   */
  | { readonly type: 'deleteModel'; readonly model: HubModel };

export type HubEvent =
  | { readonly type: 'preflight'; readonly id: number; readonly preflight: Preflight }
  | { readonly type: 'preflightFailed'; readonly id: number; readonly error: ErrorInfo }
  | { readonly type: 'download'; readonly download: DownloadState }
  /** Sent when asked for and whenever a download has ended; after the first time also when a run begins or ends. */
  | { readonly type: 'models'; readonly models: readonly StoredModel[]; readonly storage: StorageEstimate }
  | { readonly type: 'modelsFailed'; readonly error: ErrorInfo };
