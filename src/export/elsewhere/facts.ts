// What another engine has to know of a run, and what both of them name alike.

import type { RunConfig } from '../../config/run-config';
import { looksLikeHubName, parseHubName } from '../../io/hub/names';

export interface ElsewhereFacts {
  readonly config: RunConfig;
  /** The model as the other engine is to find it: a hub's id (with @revision) or a path. */
  readonly model: string;
  /** Where transformers keeps the layers of this model. */
  readonly style: 'gpt2' | 'llama';
  /** The head is the embedding. */
  readonly tied: boolean;
  /** The data file, as it is to be found; and whether its rows are conversations. */
  readonly data: string;
  readonly chat: boolean;
}

/** transformers' names of the schedules. */
export const SCHEDULER: Readonly<Record<RunConfig['lrSchedule'], string>> = {
  constant: 'constant_with_warmup',
  linear: 'linear',
  cosine: 'cosine',
};

/** A hub's model by id and revision; a path as it is. */
export function modelOf(model: string): { readonly path: string; readonly revision: string | null } {
  if (!looksLikeHubName(model)) return { path: model, revision: null };
  const { repo, revision } = parseHubName(model);
  return { path: repo, revision: revision === 'main' ? null : revision };
}
