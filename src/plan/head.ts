// The top of the model: final norm, head and loss, only over the rows that count toward the loss. Logits exist for one
// chunk of rows at a time; their gradient overwrites them.

import { crossEntropy, lossReduce } from '../shaders/loss/cross_entropy';
import { matmul, type MatmulArgs } from '../shaders/matmul/matmul';
import { partsFor } from '../shaders/matmul/tile';
import { gatherRows, scatterRows } from '../shaders/copy/rows';
import type { Live } from '../shaders/lib/rowwise';
import { block, Transients, type Context, type Unit } from './emit';
import type { PlanInput } from './input';
import { norm, type NormOp } from './ops/norm';
import type { BackwardSite, ForwardSite } from './ops/op';
import { longProduct, rangesOf } from './split';
import { matrixRows, tensorRows, tensorView, type RowsView } from './sharded-buffer';
import { FULL_VIEW, type Dispatch, type View } from '../dispatch/types';

const allTargets: Live = { extent: 'targets' };

/** Rows [v0, v1) of the head's matrix [V, C] and of its gradient, which one dispatch covers. */
interface VocabularyPiece {
  readonly v0: number;
  readonly v1: number;
  readonly matrix: View;
  readonly gradient: View | null;
}

/** The head for `rows` rows of logits, such that no dispatch is too long and none binds two buffers of the matrix. */
function vocabularyPieces(context: Context, rows: number, maxFlops = context.input.dispatchFlops): VocabularyPiece[] {
  const { tied, width } = context.input.shape;
  const owner = block(context, tied ? 'embedding' : 'head');
  const row = owner.rows.find((r) => r.role === (tied ? 'embedding' : 'head'))!;
  const trainable = context.buffers.alwaysOn.get(tied ? 'embedding' : 'head');
  const matrices = tensorRows(owner.weights, owner.layout, row.local, width);
  const gradients = trainable ? tensorRows(trainable.gradient, trainable.layout, row.local, width) : null;
  return matrices.flatMap((held, index) =>
    rangesOf(held.rows, 2 * width * rows, maxFlops).map(([from, to]): VocabularyPiece => {
      const slice = ({ view }: RowsView): View => matrixRows(view, from, to, width);
      return {
        v0: held.first + from,
        v1: held.first + to,
        matrix: slice(held),
        gradient: gradients && slice(gradients[index]),
      };
    }),
  );
}

/** The final norm, over the rows that the head runs on. */
const finalNorm = (context: Context): NormOp => {
  const { rows } = block(context, 'norm');
  return { kind: 'norm', x: 'picked', y: 'normed', weight: rows[0].local, bias: rows[1]?.local ?? null };
};

/** Where the final norm runs. `gen`: while sampling. Its values are short-lived, and its gradient goes into `d.picked`. */
function headSite(context: Context, transients: Transients, gen = false): ForwardSite & BackwardSite {
  const { shape, rows } = context.input;
  const { weights, layout } = block(context, 'norm');
  const trained = context.buffers.alwaysOn.get('norm') ?? null;
  const widths = new Map(Object.entries({ picked: shape.width, normed: shape.width }));
  return {
    context,
    rows,
    live: allTargets,
    label: (_, what) => (what === 'fwd' ? `head/norm${gen ? ' gen' : ''}` : `head/norm ${what}`),
    weight: (tensor) => tensorView(weights, layout, tensor),
    value: (name) => transients.view(name, rows * (widths.get(name) ?? 1)),
    scratch: (name, elements) => transients.view(name, elements),
    adapter: null,
    cache: null,
    trained,
    gradient: (name) => transients.view(`d.${name}`, rows * shape.width),
    weightGradient: (tensor) => tensorView(trained!.gradient, trained!.layout, tensor),
    wantsInput: () => true,
  };
}

/** First rows of the chunks; an abridged plan has the first two and the last. */
function chunkStarts({ rows, abridged }: PlanInput, chunkRows: number): number[] {
  const starts = Array.from({ length: Math.ceil(rows / chunkRows) }, (_, chunk) => chunk * chunkRows);
  return abridged && starts.length > 3 ? [starts[0], starts[1], starts[starts.length - 1]] : starts;
}

/** The name of a chunk's segment. */
export const headChunk = (index: number): string => `head chunk ${index}`;

/** Chunks that an abridged plan leaves out; each has as many dispatches and parameters of its own as the second. */
export const omittedChunks = (input: PlanInput, chunkRows: number): number =>
  input.purpose === 'train' ? Math.ceil(input.rows / chunkRows) - chunkStarts(input, chunkRows).length : 0;

/**
 * Gathers the rows of targets, takes them through the head in chunks, and ends the pass, with a segment for each of these. Computes the
 * loss of all targets; with `train`, also the gradients of head and final norm and of the residual stream.
 */
export function headLoss(context: Context, train: boolean): Unit {
  const { input, buffers } = context;
  const { shape, rows } = input;
  const product = (args: MatmulArgs): Dispatch => matmul({ ...args, family: input.kernels.matmul });
  const { chunkRows, inputViews, logitsStride: stride } = buffers;
  const C = shape.width;
  const transients = new Transients();
  const top = FULL_VIEW(buffers.stream[shape.layers]);
  const op = finalNorm(context);
  const site = headSite(context, transients);
  const [picked, normed] = [site.value(op.x), site.value(op.y)];
  const first = [
    gatherRows({ label: 'head/pick', y: picked, x: top, index: inputViews.get('targetRows')!, rows, width: C, live: allTargets }),
    ...norm.forward(op, site),
  ];
  const dNormed = site.gradient(op.y);
  const logits = FULL_VIEW(buffers.logits);
  const chunks: { name: string; dispatches: Dispatch[] }[] = [];
  for (const row0 of chunkStarts(input, chunkRows)) {
    const m = Math.min(chunkRows, rows - row0);
    const live: Live = rows <= chunkRows ? allTargets : { extent: 'targets', row0 };
    const chunk = (view: View): View => ({ buffer: view.buffer, offset: row0 * C * 4, bytes: m * C * 4 });
    const pieces = vocabularyPieces(context, m);
    const list: Dispatch[] = pieces.map(({ v0, v1, matrix }) =>
      product({
        label: 'head/logits',
        layout: 'nt',
        y: logits,
        a: chunk(normed),
        b: matrix,
        m,
        n: v1 - v0,
        k: C,
        ldy: stride,
        y0: v0,
        padded: 'y',
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
        vocab: shape.vocab,
        stride,
        live,
        train,
      }),
    );
    if (train) {
      const slice = (v0: number) => ({ a: logits, a0: v0, lda: stride, padded: 'a', live }) as const;
      const dX = { layout: 'nn', y: chunk(dNormed), m, n: C, label: 'head/dX' } as const;
      const held = vocabularyPieces(context, m, Infinity);
      if (input.kernels.matmul === 'tiles' && partsFor(m, C, shape.vocab) > 1) {
        held.forEach(({ v0, v1, matrix }, index) => {
          const part = { ...dX, ...slice(v0), b: matrix, k: v1 - v0, accumulate: index === 0 ? 'no' : 'yes', family: input.kernels.matmul } as const;
          list.push(...longProduct(part, input.dispatchFlops, (elements) => transients.view(`head parts ${elements}`, elements)));
        });
      } else {
        // Wherever it is cut, the sum goes on: to the same bits as in one dispatch.
        pieces.forEach(({ v0, v1, matrix }, index) =>
          list.push(product({ ...dX, ...slice(v0), b: matrix, k: v1 - v0, accumulate: index === 0 ? 'no' : 'continue' })),
        );
      }
      for (const { v0, v1, gradient } of pieces) {
        if (!gradient) continue;
        const dW = { layout: 'tn', y: gradient, b: chunk(normed), m: v1 - v0, n: C, k: m, label: 'head/dW' } as const;
        list.push(product({ ...dW, ...slice(v0), accumulate: row0 === 0 ? 'frame' : 'yes' }));
      }
    }
    chunks.push({ name: headChunk(chunks.length), dispatches: list });
  }
  const last: Dispatch[] = [
    lossReduce({ label: 'head/loss sum', stats: FULL_VIEW(buffers.stats), losses: FULL_VIEW(buffers.losses), rows, live: allTargets }),
  ];
  if (train) {
    last.push(
      ...norm.backward(op, site),
      scatterRows({
        label: 'head/spread',
        y: top,
        x: site.gradient(op.x),
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
    segments: [{ name, dispatches: first }, ...chunks, { name: `${name} end`, dispatches: last }],
  };
}

/** Logits of one row, the one that targetRows[0] names, for sampling. */
export function headLogits(context: Context): Unit {
  const { input, buffers } = context;
  const { shape } = input;
  const product = (args: MatmulArgs): Dispatch => matmul({ ...args, family: input.kernels.matmul });
  const transients = new Transients();
  const single: Context = { buffers, input: { ...input, rows: 1 } };
  const op = finalNorm(context);
  const site = headSite(single, transients, true);
  const dispatches = [
    gatherRows({
      label: 'head/pick gen',
      y: site.value(op.x),
      x: FULL_VIEW(buffers.stream[shape.layers]),
      index: buffers.inputViews.get('targetRows')!,
      rows: 1,
      width: shape.width,
      live: allTargets,
    }),
    ...norm.forward(op, site),
    ...vocabularyPieces(context, 1).map(({ v0, v1, matrix }) =>
      product({
        label: 'head/logits gen',
        layout: 'nt',
        y: FULL_VIEW(buffers.logits),
        a: site.value(op.y),
        b: matrix,
        m: 1,
        n: v1 - v0,
        k: shape.width,
        ldy: buffers.logitsStride,
        y0: v0,
      }),
    ),
  ];
  return { name: 'head generate', transients, segments: [{ name: 'head generate', dispatches }] };
}
