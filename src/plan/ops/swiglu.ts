// SwiGLU (Shazeer 2020, arXiv 2002.05202): silu(gate) · up, of gate and up side by side.

import { swigluBwdDx, swigluFwd } from '../../shaders/activation/swiglu';
import type { OpBase, Operation, Site } from './op';

export interface SwigluOp extends OpBase {
  readonly kind: 'swiglu';
}

const sizesOf = ({ context, rows, live }: Site) => ({ rows, ff: context.input.shape.ff, live });

export const swiglu: Operation<SwigluOp> = {
  width: (_, { ff }) => ff,
  auxiliaries: () => [],
  tensors: () => [],
  keptForInput: ({ x }) => [x],
  keptForWeights: () => [],

  forward: (op, site) => [swigluFwd({ label: site.label(op, 'fwd'), h: site.value(op.y), gu: site.value(op.x), ...sizesOf(site) })],

  backward(op, site) {
    if (!site.wantsInput(op)) return [];
    const label = site.label(op, 'dX');
    return [swigluBwdDx({ label, dgu: site.gradient(op.x), dh: site.gradient(op.y), gu: site.value(op.x), ...sizesOf(site) })];
  },
};
