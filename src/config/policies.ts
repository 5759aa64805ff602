// How embedding, head and final norm take part in a LISA run: a policy each. Where head and embedding are one tensor (tied weights)
// there is one policy, whichever of the two options gives it.

import type { Fault } from './field';

/** `rows`: only the rows of tokens that occur in the training data train, at every step. `sampled`: a block that is drawn like a layer. */
export type Policy = 'on' | 'off' | 'rows' | 'sampled';

export type PolicyName = 'embedding' | 'head' | 'norm';

export interface Policies {
  readonly embedding: Policy;
  readonly head: Policy;
  readonly norm: Exclude<Policy, 'rows'>;
}

/** The settings of a run that say it; null: as alwaysOn says. */
interface PolicySettings {
  readonly alwaysOn: Readonly<Record<'embedding' | 'head' | 'norm', boolean>>;
  readonly lisaEmbedding: Policy | null;
  readonly lisaHead: Policy | null;
  readonly lisaNorm: Policies['norm'] | null;
}

/** With tied weights `head` equals `embedding`. */
export function policiesOf({ alwaysOn, lisaEmbedding, lisaHead, lisaNorm }: PolicySettings, tied: boolean): Policies {
  const switched = (on: boolean): 'on' | 'off' => (on ? 'on' : 'off');
  const norm = lisaNorm ?? switched(alwaysOn.norm);
  if (tied) {
    const one = lisaEmbedding ?? lisaHead ?? switched(alwaysOn.embedding || alwaysOn.head);
    return { embedding: one, head: one, norm };
  }
  return { embedding: lisaEmbedding ?? switched(alwaysOn.embedding), head: lisaHead ?? switched(alwaysOn.head), norm };
}

/** Whether something trains in every step, whatever is drawn. */
export const trainsAtEveryStep = (settings: PolicySettings, tied: boolean): boolean =>
  Object.values(policiesOf(settings, tied)).some((policy) => policy === 'on' || policy === 'rows');

/** What training by rows comes to with data of so many different tokens; every row trains where the data uses the whole vocabulary. */
export const describeRows = (trained: number, vocab: number): string =>
  trained < vocab
    ? `${trained.toLocaleString('en')} of ${vocab.toLocaleString('en')} rows train, those of the tokens in the data`
    : `the data uses all ${vocab.toLocaleString('en')} tokens: training by rows saves nothing here, and all rows train`;

/** What joins the draw of layers, in the order in which it follows them there. */
export function sampledBlocks(settings: PolicySettings, tied: boolean): PolicyName[] {
  const policies = policiesOf(settings, tied);
  const names: readonly PolicyName[] = tied ? ['embedding', 'norm'] : ['embedding', 'head', 'norm'];
  return names.filter((name) => policies[name] === 'sampled');
}

/** The fault of two policies for one tensor; null if there is none. */
export function policyFault({ lisaEmbedding, lisaHead }: PolicySettings, tied: boolean): (Fault & { readonly key: 'lisaHead' }) | null {
  if (!tied || lisaEmbedding === null || lisaHead === null || lisaEmbedding === lisaHead) return null;
  return {
    key: 'lisaHead',
    problem: `The model's head is its embedding, and ${lisaHead} for the head contradicts ${lisaEmbedding} for the embedding.`,
    remedy: 'Give one of the two, or both with the same value.',
  };
}

const WORDS: Readonly<Record<Policy, string>> = {
  on: 'trained at every step',
  off: 'frozen',
  rows: 'rows of tokens in the data trained at every step',
  sampled: 'drawn like a layer',
};

/** "embedding and head: trained at every step; final norm: frozen". */
export function describePolicies(settings: PolicySettings, tied: boolean): string {
  const { embedding, head, norm } = policiesOf(settings, tied);
  const parts =
    embedding === head ? [`embedding and head: ${WORDS[embedding]}`] : [`embedding: ${WORDS[embedding]}`, `head: ${WORDS[head]}`];
  return [...parts, `final norm: ${WORDS[norm]}`].join('; ');
}
