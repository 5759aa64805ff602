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
  /** How weights are stored on the GPU: all as f32, or those that do not train as the 16-bit floats of their file. */
  weightStorage: row(choice('f32', 'stored'), {
    formerly: 'weights',
    default: 'f32',
    flag: 'weights',
    help: 'weights on the GPU: all as f32, or those that do not train in the 16 bits of their file',
    methods: ['lisa', 'lora'],
  }),
};
