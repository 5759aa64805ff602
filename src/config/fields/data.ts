// How the data's rows become batches.

import { row } from '../field';
import { choice, real, toggle } from '../kinds';

export const DATA = {
  /** Which tokens of chat data count toward the loss. */
  mask: row(choice('assistant', 'all'), {
    default: 'assistant',
    flag: 'mask',
    help: 'which tokens of chats count toward the loss',
    shapesData: true,
  }),
  packing: row(toggle, { default: false, flag: 'packing', help: 'put several short rows into one' }),
  shuffle: row(toggle, { default: true, flag: 'shuffle', help: 'a new order of the rows in every epoch' }),
  badRows: row(choice('refuse', 'skip'), {
    default: 'refuse',
    flag: 'bad-rows',
    help: 'refuse a file with malformed rows, or skip them',
    shapesData: true,
  }),
  /** Take copies of held-out rows out of training. */
  dedupe: row(toggle, { default: true, flag: 'dedupe', help: 'leave copies of held-out rows out of training', shapesData: true }),
  /** Share of rows held out when there is no evaluation set. */
  evalSplit: row(real(0, 0.5), {
    default: 0.05,
    flag: 'eval-split',
    help: 'share of the rows to hold out if there is no --eval-data',
    shapesData: true,
  }),
};
