// A model of a hub, its download and its place in the cache: types only, plain data.

import type { ErrorInfo } from '../../base/errors';
import type { CheckpointTypes, Dtype, ModelShape } from '../../model/types';

/** A model of a hub at one commit: what a run can be of. Its files lie in the cache before it is used. */
export interface HubModel {
  readonly kind: 'hub';
  /** Address of the hub, without a slash at its end. */
  readonly hub: string;
  /** 'org/name', or 'name' for the few models without an organisation. */
  readonly repo: string;
  /** Branch, tag or commit, as it was asked for. */
  readonly revision: string;
  /** 40 hexadecimal digits: what the revision was when it was looked up. */
  readonly commit: string;
}

interface HubFileInfo {
  readonly path: string;
  readonly bytes: number;
}

/** What is known of a model before its weights are there: from its list of files, config.json and the headers of its weights. */
export interface Preflight {
  readonly model: HubModel;
  readonly shape: ModelShape;
  readonly parameters: number;
  /** Parameters by the type they are stored in. */
  readonly dtypes: Readonly<Record<Dtype, number>>;
  readonly types: CheckpointTypes;
  /** The files that a run needs, and no others of the repository. */
  readonly files: readonly HubFileInfo[];
  /** Of all these files. */
  readonly bytes: number;
  /** Of these, how many lie in the cache already. */
  readonly cachedBytes: number;
  /** All files are in the cache and checked: nothing has to be downloaded. */
  readonly whole: boolean;
  /** As the repository's card names it; null where it names none. */
  readonly licence: string | null;
  /** Its files are given only to those who accepted its terms. */
  readonly gated: boolean;
}

type DownloadPhase =
  /** Asking for the list of files, and reading what is there already. */
  | 'starting'
  | 'downloading'
  /** Waiting for the next attempt after a fault of the connection or the server. */
  | 'waiting'
  /** Comparing digests. */
  | 'checking'
  | 'paused'
  | 'done'
  | 'failed'
  /** Given up; what was there of it has been removed. */
  | 'cancelled';

export interface DownloadState {
  readonly model: HubModel;
  readonly phase: DownloadPhase;
  /** Over all files; what was there before counts. */
  readonly bytes: number;
  readonly total: number;
  /** Bytes a second over the last few seconds; null before there is a figure. */
  readonly speed: number | null;
  readonly secondsLeft: number | null;
  /** The file that is worked on. */
  readonly file: string | null;
  /** While waiting: why, which attempt comes next (from 1), of how many, and in how many seconds. */
  readonly retry: { readonly attempt: number; readonly of: number; readonly seconds: number; readonly error: ErrorInfo } | null;
  /** Of a failed one. What has arrived stays, and a new download goes on from it. */
  readonly error: ErrorInfo | null;
}

/** What reads a stored model, or will: a download of it, the run that is going on, the one that has ended, an unfinished one that is kept. */
export type ModelUse = 'download' | 'run' | 'ended run' | 'checkpoint';

/** A model in the cache, whole or a part of one. */
export interface StoredModel {
  readonly model: HubModel;
  /** Bytes that it takes. */
  readonly bytes: number;
  /** Bytes that it has when it is whole. */
  readonly total: number;
  /** Every file is there and its digest was right. */
  readonly whole: boolean;
  /** Milliseconds since 1970; of its last change. */
  readonly changed: number;
  readonly usedBy: ModelUse | null;
}

export interface StorageEstimate {
  /** Bytes that this site uses, and may use; null where the browser does not say. */
  readonly usage: number | null;
  readonly quota: number | null;
  /** The browser keeps it until the person removes it; else it may clear it when the disk is full. */
  readonly persisted: boolean;
}
