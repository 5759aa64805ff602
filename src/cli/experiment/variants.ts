// What an experiment runs: a method, or LISA with one of the levers that save memory, each by the arguments that finetune gets.

import type { Method } from '../../config/run-config';

export interface Variant {
  readonly name: string;
  readonly method: Method;
  /** Arguments of finetune. */
  readonly args: readonly string[];
}

export const METHODS: readonly Variant[] = (['lisa', 'full', 'lora'] as const).map((method) => ({ name: method, method, args: [] }));

const lisa = (name: string, ...args: string[]): Variant => ({ name, method: 'lisa', args });

const ROWS = ['--lisa-embedding', 'rows', '--lisa-head', 'rows'];
const STATE = ['--optimizer-state', 'int8'];
const CLIP = ['--grad-clip-mode', 'block'];

/** LISA as published first: the others are compared with it. */
export const LEVERS: readonly Variant[] = [
  lisa('published'),
  lisa('rows', ...ROWS),
  lisa('sampled', '--lisa-embedding', 'sampled', '--lisa-head', 'sampled'),
  lisa('off', '--lisa-embedding', 'off', '--lisa-head', 'off'),
  lisa('state', ...STATE),
  lisa('clip', ...CLIP),
  lisa('recompute', '--recompute', 'layer'),
  lisa('int8', '--weights', 'int8'),
  lisa('int4', '--weights', 'int4'),
  lisa('levers', ...ROWS, ...STATE, ...CLIP, '--recompute', 'layer'),
  lisa('levers-int8', ...ROWS, ...STATE, ...CLIP, '--recompute', 'layer', '--weights', 'int8'),
];
