// The top of the model: final norm, head and loss, over the rows that carry a loss only. Logits exist for one
// chunk of rows at a time; their gradient overwrites them.

import { crossEntropy, lossReduce } from '../shaders/loss/cross_entropy';
import { layerNormBwdDw, layerNormBwdDx, layerNormFwd } from '../shaders/norm/layer_norm';
import { matmul, type MatmulArgs } from '../shaders/matmul/matmul';
import { rmsNormBwdDw, rmsNormBwdDx, rmsNormFwd } from '../shaders/norm/rms_norm';
import { gatherRows, scatterRows } from '../shaders/copy/rows';
import type { Live } from '../shaders/lib/rowwise';
import type { Trainable } from './buffers';
import { block, Transients, type Context } from './emit';
import type { EmittedUnit } from './layer';
import { partsOf } from './split';
import { matrixRows, tensorRows, tensorView, type RowsView } from './store';
import { FULL_VIEW, type Dispatch, type View } from '../dispatch/types';

const allTargets: Live = { extent: 'targets' };

/** Rows [v0, v1) of the head's matrix [V, C] and of its gradient: what one dispatch takes. */
interface VocabularyPart {
  readonly v0: number;
  readonly v1: number;
  readonly matrix: View;
  readonly gradient: View | null;
  /** It begins a buffer, and is not the first: the part before ended where the buffer did. */
  readonly beginsBuffer: boolean;
}

/** The head for `rows` rows of logits, such that no dispatch is too long and none binds two buffers of the matrix. */
function vocabularyParts(context: Context, rows: number): VocabularyPart[] {
  const { tied, width } = context.input.shape;
  const owner = block(context, tied ? 'embedding' : 'head');
  const row = owner.rows.find((r) => r.role === (tied ? 'embedding' : 'head'))!;
  const trainable = context.buffers.edges.get(tied ? 'embedding' : 'head');
  const matrices = tensorRows(owner.store, owner.layout, row.local, width);
  const gradients = trainable ? tensorRows(trainable.gradient, trainable.layout, row.local, width) : null;
  return matrices.flatMap((held, index) =>
    partsOf(held.rows, 2 * width * rows).map(([from, to]): VocabularyPart => {
      const slice = ({ view }: RowsView): View => matrixRows(view, from, to, width);
      return {
        v0: held.first + from,
        v1: held.first + to,
        matrix: slice(held),
        gradient: gradients && slice(gradients[index]),
        beginsBuffer: index > 0 && from === 0,
      };
    }),
  );
}

interface NormSite {
  readonly label: string;
  readonly x: View;
  readonly y: View;
  readonly mean: View;
  readonly rstd: View;
}

function finalNorm(context: Context, { label, x, y, mean, rstd }: NormSite): Dispatch {
  const { shape, rows } = context.input;
  const { store, layout, rows: tensors } = block(context, 'norm');
  const common = {
    label,
    x,
    y,
    rstd,
    w: tensorView(store, layout, tensors[0].local),
    rows,
    width: shape.width,
    eps: shape.normEps,
    live: allTargets,
  };
  return shape.norm === 'rms' ? rmsNormFwd(common) : layerNormFwd({ ...common, mean, b: tensorView(store, layout, tensors[1].local) });
}

function finalNormBackward(context: Context, site: NormSite, dy: View, dx: View): Dispatch[] {
  const { shape, rows } = context.input;
  const { store, layout, rows: tensors } = block(context, 'norm');
  const trained: Trainable | undefined = context.buffers.edges.get('norm');
  const common = { x: site.x, rstd: site.rstd, dy, rows, width: shape.width, live: allTargets };
  const gradient = (at: number): View => tensorView(trained!.gradient, trained!.layout, tensors[at].local);
  const input = { ...common, label: 'head/norm dX', dx, w: tensorView(store, layout, tensors[0].local), accumulate: false };
  if (shape.norm === 'rms') {
    return [...(trained ? [rmsNormBwdDw({ ...common, label: 'head/norm dW', dw: gradient(0) })] : []), rmsNormBwdDx(input)];
  }
  const weights = trained ? [layerNormBwdDw({ ...common, label: 'head/norm dW', mean: site.mean, dw: gradient(0), db: gradient(1) })] : [];
  return [...weights, layerNormBwdDx({ ...input, mean: site.mean })];
}

export interface HeadUnit extends EmittedUnit {
  /** segments[0] gathers, segments[1 … chunks] are the chunks of rows, the last one ends the pass. */
  readonly chunkRows: number;
  /** Chunks that an abridged plan leaves out; each has as many dispatches and parameters of its own as segments[2]. */
  readonly omitted: number;
}

/** First rows of the chunks that are built. */
function chunkStarts(rows: number, chunkRows: number, abridged: boolean): { readonly starts: number[]; readonly omitted: number } {
  const starts = Array.from({ length: Math.ceil(rows / chunkRows) }, (_, chunk) => chunk * chunkRows);
  if (!abridged || starts.length <= 3) return { starts, omitted: 0 };
  return { starts: [starts[0], starts[1], starts[starts.length - 1]], omitted: starts.length - 3 };
}

/** Loss of all targets; with `train`, also the gradients of head and final norm and of the residual stream. */
export function headLoss(context: Context, train: boolean): HeadUnit {
  const { input, buffers } = context;
  const { shape, rows } = input;
  const product = (args: MatmulArgs): Dispatch => matmul({ ...args, family: input.kernels.matmul });
  const { chunkRows, inputViews } = buffers;
  const C = shape.width;
  const V = shape.vocab;
  const transients = new Transients();
  const top = FULL_VIEW(buffers.stream[shape.layers]);
  const site: NormSite = {
    label: 'head/norm',
    x: transients.view('picked', rows * C),
    y: transients.view('normed', rows * C),
    mean: transients.view('mean', rows),
    rstd: transients.view('rstd', rows),
  };
  const first = [
    gatherRows({ label: 'head/pick', y: site.x, x: top, index: inputViews.get('targetRows')!, rows, width: C, live: allTargets }),
    finalNorm(context, site),
  ];
  const dNormed = transients.view('d.normed', rows * C);
  const logits = FULL_VIEW(buffers.logits);
  const chunks: { name: string; dispatches: Dispatch[] }[] = [];
  const { starts, omitted } = chunkStarts(rows, chunkRows, input.abridged);
  for (const row0 of starts) {
    const m = Math.min(chunkRows, rows - row0);
    const live: Live = rows <= chunkRows ? allTargets : { extent: 'targets', row0 };
    const chunk = (view: View): View => ({ buffer: view.buffer, offset: row0 * C * 4, bytes: m * C * 4 });
    const parts = vocabularyParts(context, m);
    const list: Dispatch[] = parts.map(({ v0, v1, matrix }) =>
      product({
        label: 'head/logits',
        layout: 'nt',
        y: logits,
        a: chunk(site.y),
        b: matrix,
        m,
        n: v1 - v0,
        k: C,
        ldy: V,
        y0: v0,
        live,
      }),
    );
    list.push(
      crossEntropy({
        label: 'head/loss',
        logits,
        labels: inputViews.get('labels')!,
        losses: FULL_VIEW(buffers.losses),
        rows: m,
        vocab: V,
        live,
        train,
      }),
    );
    if (train) {
      parts.forEach(({ v0, v1, matrix, gradient, beginsBuffer }, index) => {
        const slice = { a: logits, a0: v0, lda: V, live } as const;
        list.push(
          product({
            ...slice,
            label: 'head/dX',
            layout: 'nn',
            y: chunk(dNormed),
            b: matrix,
            m,
            n: C,
            k: v1 - v0,
            // Where a buffer ends the sum goes on, as if it did not; where a dispatch would be too long the next one's is added.
            accumulate: index === 0 ? 'no' : beginsBuffer ? 'continue' : 'yes',
          }),
        );
        if (!gradient) return;
        list.push(
          product({
            ...slice,
            label: 'head/dW',
            layout: 'tn',
            y: gradient,
            b: chunk(site.y),
            m: v1 - v0,
            n: C,
            k: m,
            accumulate: row0 === 0 ? 'frame' : 'yes',
          }),
        );
      });
    }
    chunks.push({ name: `head chunk ${chunks.length}`, dispatches: list });
  }
  const last: Dispatch[] = [
    lossReduce({ label: 'head/loss sum', stats: FULL_VIEW(buffers.stats), losses: FULL_VIEW(buffers.losses), rows, live: allTargets }),
  ];
  if (train) {
    const dPicked = transients.view('d.picked', rows * C);
    last.push(
      ...finalNormBackward(context, site, dNormed, dPicked),
      scatterRows({
        label: 'head/spread',
        y: top,
        x: dPicked,
        inverse: inputViews.get('inverse')!,
        rows,
        width: C,
        live: { extent: 'rows' },
      }),
    );
  }
  const name = train ? 'head' : 'head eval';
  return {
    name,
    transients,
    chunkRows,
    omitted,
    segments: [{ name, dispatches: first }, ...chunks, { name: `${name} end`, dispatches: last }],
  };
}

/** Logits of one row, the one that targetRows[0] names, for sampling. */
export function headLogits(context: Context): EmittedUnit {
  const { input, buffers } = context;
  const { shape } = input;
  const product = (args: MatmulArgs): Dispatch => matmul({ ...args, family: input.kernels.matmul });
  const transients = new Transients();
  const single: Context = { buffers, input: { ...input, rows: 1 } };
  const site: NormSite = {
    label: 'head/norm gen',
    x: transients.view('picked', shape.width),
    y: transients.view('normed', shape.width),
    mean: transients.view('mean', 1),
    rstd: transients.view('rstd', 1),
  };
  const dispatches = [
    gatherRows({
      label: 'head/pick gen',
      y: site.x,
      x: FULL_VIEW(buffers.stream[shape.layers]),
      index: buffers.inputViews.get('targetRows')!,
      rows: 1,
      width: shape.width,
      live: allTargets,
    }),
    finalNorm(single, site),
    ...vocabularyParts(context, 1).map(({ v0, v1, matrix }) =>
      product({
        label: 'head/logits gen',
        layout: 'nt',
        y: FULL_VIEW(buffers.logits),
        a: site.y,
        b: matrix,
        m: 1,
        n: v1 - v0,
        k: shape.width,
        ldy: shape.vocab,
        y0: v0,
      }),
    ),
  ];
  return { name: 'head generate', transients, segments: [{ name: 'head generate', dispatches }] };
}
