// GELU, exact or by its tanh approximation.

import { geluBwdDx, geluFwd } from '../../shaders/activation/gelu';
import type { OpBase, Operation, Site } from './op';

export interface GeluOp extends OpBase {
  readonly kind: 'gelu';
  readonly form: 'tanh' | 'erf';
}

const sizesOf = ({ context, rows, live }: Site) => ({ rows, width: context.input.shape.ff, live });

export const gelu: Operation<GeluOp> = {
  width: (_, __, input) => input,
  auxiliaries: () => [],
  tensors: () => [],
  keptForInput: ({ x }) => [x],
  keptForWeights: () => [],

  forward: (op, site) => [
    geluFwd({ label: site.label(op, 'fwd'), y: site.value(op.y), x: site.value(op.x), kind: op.form, ...sizesOf(site) }),
  ],

  backward(op, site) {
    if (!site.wantsInput(op)) return [];
    const label = site.label(op, 'dX');
    return [geluBwdDx({ label, dx: site.gradient(op.x), dy: site.gradient(op.y), x: site.value(op.x), kind: op.form, ...sizesOf(site) })];
  },
};
