// GeGLU (Shazeer 2020, arXiv 2002.05202): gelu(gate) · up by GELU's tanh form, of gate and up side by side.

import { gegluBwdDx, gegluFwd } from '../../shaders/activation/geglu';
import type { OpBase, Operation, Site } from './op';

export interface GegluOp extends OpBase {
  readonly kind: 'geglu';
}

const sizesOf = ({ context, rows, live }: Site) => ({ rows, ff: context.input.shape.ff, live });

export const geglu: Operation<GegluOp> = {
  width: (_, { ff }) => ff,
  auxiliaries: () => [],
  tensors: () => [],
  keptForInput: ({ x }) => [x],
  keptForWeights: () => [],

  forward: (op, site) => [gegluFwd({ label: site.label(op, 'fwd'), h: site.value(op.y), gu: site.value(op.x), ...sizesOf(site) })],

  backward(op, site) {
    if (!site.wantsInput(op)) return [];
    const label = site.label(op, 'dX');
    return [gegluBwdDx({ label, dgu: site.gradient(op.x), dh: site.gradient(op.y), gu: site.value(op.x), ...sizesOf(site) })];
  },
};
