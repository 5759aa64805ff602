// LoRA: the size of its adapters.

import { row } from '../field';
import { above, whole } from '../kinds';

export const LORA = {
  loraRank: row(whole(1, 1024), {
    default: 16,
    flag: 'lora-rank',
    help: 'rank r of the adapters',
    simple: true,
    methods: ['lora'],
    listed: true,
  }),
  loraAlpha: row(above(0, 1e6), {
    default: 32,
    flag: 'lora-alpha',
    help: 'α: adapters are scaled by α / r',
    simple: true,
    methods: ['lora'],
    listed: true,
  }),
};
