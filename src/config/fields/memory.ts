// What a run keeps on the GPU, and in which form.

import { row } from '../field';
import { choice } from '../kinds';

export const MEMORY = {
  /** How weights are stored on the GPU: all as f32, or those that do not train as the 16-bit floats of their file. */
  weightStorage: row(choice('f32', 'stored'), {
    formerly: 'weights',
    default: 'f32',
    flag: 'weights',
    help: 'weights on the GPU: all as f32, or those that do not train in the 16 bits of their file',
    methods: ['lisa', 'lora'],
  }),
};
