// The ending of a run, as the files of its export declare it.

import { eosTextMatters } from '../data/tokenize/turn-end';
import type { RunInputs } from '../train/prepare';
import type { DeclaredEnding } from './declared-ending';

export function declaredEnding({ dataset, tokenizer }: Pick<RunInputs, 'dataset' | 'tokenizer'>): DeclaredEnding {
  const { token, stopIds } = dataset.summary.ending;
  return { token, stopIds, renames: token !== null && !eosTextMatters(tokenizer, token.text) };
}
