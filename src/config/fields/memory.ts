// What a run keeps on the GPU, and in which form.

import { row } from '../field';
import { choice } from '../kinds';

export const MEMORY = {
  /** Activations that the backward computes again instead of finding them kept: none, those of the feed-forward, or all of a layer. */
  recompute: row(choice('off', 'mlp', 'layer'), {
    default: 'off',
    flag: 'recompute',
    help: 'compute activations again in the backward instead of keeping them: of the feed-forward, or of the whole layer',
  }),
  /** How AdamW's m and v lie: as f32, or in 8 bits by blocks that share a scale (shaders/adamw/adamw_int8.wgsl). */
  optimizerState: row(choice('f32', 'int8'), {
    default: 'f32',
    flag: 'optimizer-state',
    help: 'm and v of AdamW: as f32, or in 8 bits, which take a quarter of the memory',
  }),
  /** How weights that do not train are stored on the GPU: as f32, as the 16-bit floats of their file, or in 8 or 4 bits (plan/storage.ts). */
  weightStorage: row(choice('f32', 'stored', 'int8', 'int4'), {
    formerly: 'weights',
    default: 'f32',
    flag: 'weights',
    help: 'weights that do not train: as f32, in the 16 bits of their file, in 8 bits or in 4; updates keep full precision',
    methods: ['lisa', 'lora'],
  }),
};
