// Stands in for the package `webgpu` in pure tests: see pure-guard.ts.

import { refuse } from './pure-guard';

export const globals = {};
export const create = (): never => refuse('A device');
