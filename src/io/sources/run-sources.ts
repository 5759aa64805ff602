// What a run is of: the model and the data that were chosen, and what of them a reloaded page can open again by itself.

import type { HubModel } from '../hub/types';

/** Files of a model in Hugging Face layout, one that the page ships, or one of a hub that is whole in the cache. */
export type ModelSource =
  | { readonly kind: 'builtin'; readonly id: string }
  | { readonly kind: 'files'; readonly name: string; readonly files: readonly File[] }
  | HubModel;

export type DataSource =
  | { readonly kind: 'builtin'; readonly id: string }
  /** `heldOut`: to evaluate on, in place of a share of the rows. */
  | { readonly kind: 'file'; readonly file: File; readonly heldOut?: File };

export interface KeptSources {
  /** Of a local folder the name: weights are too large to keep twice. Those of a hub's model are in the cache. */
  readonly model: { readonly kind: 'builtin'; readonly id: string } | { readonly kind: 'files'; readonly name: string } | HubModel;
  readonly data: DataSource;
}

export interface SourceStorage {
  keep(runId: string, sources: KeptSources): Promise<void>;
  open(runId: string): Promise<KeptSources | null>;
  remove(runId: string): Promise<void>;
  /** Removes what is kept for any other run; null: for all. */
  keepOnly(runId: string | null): Promise<void>;
}
