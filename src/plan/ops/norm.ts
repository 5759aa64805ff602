// Layer norm or RMS norm, over the rows of a layer or over those of the head.

import { layerNormBwdDw, layerNormBwdDx, layerNormFwd } from '../../shaders/norm/layer_norm';
import { rmsNormBwdDw, rmsNormBwdDx, rmsNormFwd } from '../../shaders/norm/rms_norm';
import { RESIDUAL_STREAM, type OpBase, type Operation, type Site } from './op';

export interface NormOp extends OpBase {
  readonly kind: 'norm';
  readonly weight: string;
  /** Layer norm's; null for RMS norm. */
  readonly bias: string | null;
}

/** What the forward leaves of each row: of an RMS norm 1 / root mean square, of a layer norm mean and 1 / deviation. */
export const statsOf = ({ y, bias }: Pick<NormOp, 'y' | 'bias'>): string => `${y}.${bias === null ? 'rstd' : 'stats'}`;

const sizesOf = ({ context, rows, live }: Site) => {
  const { width, normEps: eps, normOffset: offset } = context.input.shape;
  return { rows, width, eps, offset, live };
};

export const norm: Operation<NormOp> = {
  width: (_, __, input) => input,
  auxiliaries: (op) => [{ name: statsOf(op), width: op.bias === null ? 1 : 2 }],
  tensors: ({ weight, bias }) => (bias === null ? [weight] : [weight, bias]),
  keptForInput: (op, shape) => [op.x, ...norm.auxiliaries(op, shape).map(({ name }) => name)],
  keptForWeights: (op, shape) => norm.keptForInput(op, shape),

  forward(op, site) {
    const { x, y, weight, bias } = op;
    const common = {
      ...sizesOf(site),
      label: site.label(op, 'fwd'),
      y: site.value(y),
      x: site.value(x),
      w: site.weight(weight),
    };
    const stats = site.value(statsOf(op));
    if (bias !== null) return [layerNormFwd({ ...common, stats, b: site.weight(bias) })];
    return [rmsNormFwd({ ...common, rstd: stats, residual: op.residual ? site.value(op.residual) : undefined })];
  },

  backward(op, site) {
    const { x, y, weight, bias } = op;
    const { rows, width, offset, live } = sizesOf(site);
    const common = { dy: site.gradient(y), x: site.value(x), rows, width, live };
    const stats = site.value(statsOf(op));
    const list = [];
    if (site.trained) {
      const weights = { ...common, label: site.label(op, 'dW'), dw: site.weightGradient(weight) };
      list.push(
        bias === null ? rmsNormBwdDw({ ...weights, rstd: stats }) : layerNormBwdDw({ ...weights, stats, db: site.weightGradient(bias) }),
      );
    }
    if (site.wantsInput(op)) {
      const label = site.label(op, 'dX');
      const input = { ...common, label, dx: site.gradient(x), w: site.weight(weight), accumulate: RESIDUAL_STREAM.has(x) };
      list.push(bias === null ? rmsNormBwdDx({ ...input, rstd: stats, offset }) : layerNormBwdDx({ ...input, stats }));
    }
    return list;
  },
};
