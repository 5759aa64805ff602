// y = x·W (+ bias) (+ residual), with or without a LoRA adapter beside it.

import type { Dispatch } from '../../dispatch/types';
import { columnSum } from '../../shaders/reduce/column_sum';
import { product, type LinearOp } from './linear-op';
import { adapterBackward, adapterForward } from './lora';
import type { BackwardSite, Operation } from './op';

export const linear: Operation<LinearOp> = {
  width: ({ out }) => out,
  auxiliaries: () => [],
  tensors: ({ weight, bias }) => (bias === null ? [weight] : [weight, bias]),
  keptForInput: () => [],
  keptForWeights: ({ x }) => [x],

  forward(op, site) {
    const { rows, live } = site;
    return [
      ...product(site, {
        label: site.label(op, 'fwd'),
        layout: op.layout,
        y: site.value(op.y),
        a: site.value(op.x),
        b: site.weight(op.weight),
        m: rows,
        n: op.out,
        k: op.in,
        live,
        alpha: op.scale,
        bias: op.bias === null ? undefined : site.weight(op.bias),
        residual: op.residual === null ? undefined : site.value(op.residual),
      }),
      ...(site.adapter ? adapterForward(op, site, site.adapter) : []),
    ];
  },

  backward(op, site) {
    const { rows, live } = site;
    const list = weightGradients(op, site);
    if (site.wantsInput(op)) {
      list.push(
        ...product(site, {
          label: site.label(op, 'dX'),
          layout: op.layout === 'nt' ? 'nn' : 'nt',
          y: site.gradient(op.x),
          a: site.gradient(op.y),
          b: site.weight(op.weight),
          m: rows,
          n: op.in,
          k: op.out,
          alpha: op.scale,
          live,
        }),
      );
    }
    if (site.adapter) list.push(...adapterBackward(op, site, site.adapter));
    return list;
  },
};

/** Gradients of the weight and the bias, if they train. The first micro-batch of a step assigns them, later ones add to them. */
export function weightGradients(op: LinearOp, site: BackwardSite): Dispatch[] {
  if (!site.trained) return [];
  const { rows, live } = site;
  const [x, dy] = [site.value(op.x), site.gradient(op.y)];
  const [a, b, m, n] = op.layout === 'nt' ? [dy, x, op.out, op.in] : [x, dy, op.in, op.out];
  const dw = {
    label: site.label(op, 'dW'),
    layout: 'tn',
    y: site.weightGradient(op.weight),
    a,
    b,
    m,
    n,
    k: rows,
    alpha: op.scale,
    live,
  } as const;
  const list = product(site, { ...dw, accumulate: 'frame' });
  if (op.bias !== null)
    list.push(columnSum({ label: site.label(op, 'db'), db: site.weightGradient(op.bias), dy, rows, width: op.out, live }));
  return list;
}
