// The top of the model: final norm, head and loss, only over the rows that count toward the loss. Logits exist for one
// chunk of rows at a time; their gradient overwrites them.

import { crossEntropy, lossReduce } from '../shaders/loss/cross_entropy';
import { softcap } from '../shaders/loss/softcap';
import { matmul, type MatmulArgs } from '../shaders/matmul/matmul';
import { partsFor } from '../shaders/matmul/tile';
import { putColumns, takeColumns } from '../shaders/copy/columns';
import { gatherRows, scatterRows } from '../shaders/copy/rows';
import type { Live } from '../shaders/lib/rowwise';
import { block, Transients, type Context, type Unit } from './emit';
import type { PlanInput } from './input';
import { norm, type NormOp } from './ops/norm';
import type { BackwardSite, ForwardSite } from './ops/op';
import type { ModelShape } from '../model/types';
import { longProduct, rangesOf, viewRows } from './split';
import { matrixRows, tensorRows, tensorView, type RowsView } from './sharded-buffer';
import { FULL_VIEW, type Dispatch, type View } from '../dispatch/types';

const allTargets: Live = { extent: 'targets' };

/** Rows [v0, v1) of a matrix of logits' weights [V, C] and of its gradient, which one dispatch covers. */
interface VocabularyPiece {
  readonly v0: number;
  readonly v1: number;
  readonly matrix: View;
  readonly gradient: View | null;
}

/** Cut for `rows` rows of logits, such that no dispatch is above `maxFlops` and none binds two buffers of the matrix. */
function pieces(
  matrices: readonly RowsView[],
  gradients: readonly RowsView[] | null,
  width: number,
  rows: number,
  maxFlops: number,
): VocabularyPiece[] {
  return matrices.flatMap((held, index) =>
    rangesOf(held.rows, 2 * width * rows, maxFlops, viewRows(held.view, width)).map(([from, to]): VocabularyPiece => {
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

const matrixOf = ({ tied }: ModelShape): 'embedding' | 'head' => (tied ? 'embedding' : 'head');

/**
 * The matrix of the whole vocabulary, and, where only the rows of some tokens train, those rows with their gradient: their logits are
 * computed apart and take the place of those that the matrix gives.
 */
function vocabularyPieces(
  context: Context,
  rows: number,
  trains = true,
  maxFlops = context.input.dispatchFlops,
): { readonly whole: VocabularyPiece[]; readonly part: VocabularyPiece[] } {
  const { width } = context.input.shape;
  const name = matrixOf(context.input.shape);
  const owner = block(context, name);
  const tensor = owner.rows.find(({ role }) => role === name)!.local;
  const trained = context.buffers.alwaysOn.get(name);
  const matrices = tensorRows(owner.weights, owner.layout, tensor, width);
  const gradients = trained && trains ? tensorRows(trained.gradient, trained.layout, tensor, width) : null;
  if (!trained?.master) return { whole: pieces(matrices, gradients, width, rows, maxFlops), part: [] };
  return {
    whole: pieces(matrices, null, width, rows, maxFlops),
    part: pieces(tensorRows(trained.master, trained.layout, tensor, width), gradients, width, rows, maxFlops),
  };
}

/** The final norm, over the rows that the head runs on. */
const finalNorm = (context: Context): NormOp => {
  const { rows } = block(context, 'norm');
  return { kind: 'norm', x: 'picked', y: 'normed', weight: rows[0].local, bias: rows[1]?.local ?? null };
};

/** Where the final norm runs. `gen`: while sampling. Its values are short-lived, and its gradient goes into `d.picked`. */
function headSite(context: Context, transients: Transients, gen = false, trains = true): ForwardSite & BackwardSite {
  const { shape, rows } = context.input;
  const { weights, layout } = block(context, 'norm');
  const trained = (trains && context.buffers.alwaysOn.get('norm')) || null;
  const auxiliaries = norm.auxiliaries(finalNorm(context), shape).map(({ name, width }) => [name, width] as const);
  const widths = new Map([['picked', shape.width], ['normed', shape.width], ...auxiliaries]);
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
    outlives: () => true,
    trains,
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
  input.purpose !== 'generate' ? Math.ceil(input.rows / chunkRows) - chunkStarts(input, chunkRows).length : 0;

/** Whether head (or the embedding that is the head) and final norm have gradients in a step; they may be sampled. */
export interface HeadTraining {
  readonly matrix: boolean;
  readonly norm: boolean;
}

/** Where the logits, or their gradients, of the tokens whose rows train are computed: [rows, R], and the tokens. */
const partColumns = ({ input, buffers }: Context, transients: Transients, rows: number) => ({
  part: transients.view('rowLogits', rows * input.trainedRows.count),
  index: FULL_VIEW(buffers.rowTokens!),
  columns: input.trainedRows.count,
  stride: buffers.logitsStride,
});

/** Logits of `rows` rows of `a` [rows, C]: of the whole vocabulary, and over them those of the rows that train. */
function logitsOf(
  context: Context,
  transients: Transients,
  whole: readonly VocabularyPiece[],
  part: readonly VocabularyPiece[],
  a: View,
  rows: number,
  label: string,
  live?: Live,
): Dispatch[] {
  const { input, buffers } = context;
  const { width, logitScale: alpha, logitCap } = input.shape;
  const logits = FULL_VIEW(buffers.logits);
  const family = input.kernels.matmul;
  const product = (of: string, { v0, v1, matrix }: VocabularyPiece, y: View, ldy: number, padded?: 'y'): Dispatch =>
    matmul({ label: of, layout: 'nt', y, a, b: matrix, m: rows, n: v1 - v0, k: width, ldy, y0: v0, alpha, padded, live, family });
  const all = whole.map((piece) => product(`${label}/logits`, piece, logits, buffers.logitsStride, 'y'));
  const capped =
    logitCap === null ? [] : [softcap({ label: `${label}/cap`, x: logits, cap: logitCap, rows, stride: buffers.logitsStride, live })];
  if (part.length === 0) return [...all, ...capped];
  const columns = partColumns(context, transients, rows);
  return [
    ...all,
    ...part.map((piece) => product(`${label}/rows/logits`, piece, columns.part, columns.columns)),
    putColumns({ label: `${label}/put rows`, whole: logits, ...columns, rows, live }),
    ...capped,
  ];
}

/**
 * Gathers the rows of targets, takes them through the head in chunks, and ends the pass, with a segment for each of these. Computes the
 * loss of all targets; with `train`, also the gradients of head and final norm, as far as they train in this step, and of the residual
 * stream.
 */
export function headLoss(context: Context, train: false | HeadTraining): Unit {
  const { input, buffers } = context;
  const { shape, rows } = input;
  const product = (args: MatmulArgs): Dispatch => matmul({ ...args, family: input.kernels.matmul });
  const { chunkRows, inputViews, logitsStride: stride } = buffers;
  const C = shape.width;
  const transients = new Transients();
  const top = FULL_VIEW(buffers.stream[shape.layers]);
  const op = finalNorm(context);
  const site = headSite(context, transients, false, train && train.norm);
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
    const { whole, part } = vocabularyPieces(context, m, train && train.matrix);
    const list: Dispatch[] = logitsOf(context, transients, whole, part, chunk(normed), m, 'head', live);
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
        train: train !== false,
        scale: shape.logitScale,
        cap: shape.logitCap ?? undefined,
      }),
    );
    if (train) {
      const columns = part.length > 0 ? partColumns(context, transients, m) : null;
      if (columns) list.push(takeColumns({ label: 'head/take rows', whole: logits, ...columns, rows: m, live }));
      // The matrix of the whole vocabulary first: the columns that were taken out are zero there.
      const sources = [
        { pieces: whole, label: 'head', a: logits, lda: stride, padded: 'a' },
        ...(columns ? [{ pieces: part, label: 'head/rows', a: columns.part, lda: columns.columns }] : []),
      ] as const;
      const held = vocabularyPieces(context, m, train.matrix, Infinity);
      const inParts = input.kernels.matmul === 'tiles' && partsFor(m, C, shape.vocab) > 1;
      sources.forEach(({ pieces: cut, label, ...operand }, source) => {
        const dX = { ...operand, layout: 'nn', y: chunk(dNormed), m, n: C, label: `${label}/dX`, live } as const;
        if (inParts && source === 0) {
          held.whole.forEach(({ v0, v1, matrix }, index) => {
            const sum = { ...dX, a0: v0, b: matrix, k: v1 - v0, accumulate: index === 0 ? 'no' : 'yes', family: 'tiles' } as const;
            list.push(...longProduct(sum, input.dispatchFlops, (elements) => transients.view(`head parts ${elements}`, elements)));
          });
        } else {
          // Wherever it is cut, the sum goes on: to the same bits as in one dispatch.
          cut.forEach(({ v0, v1, matrix }, index) => {
            const accumulate = source === 0 && index === 0 ? 'no' : 'continue';
            list.push(product({ ...dX, a0: v0, b: matrix, k: v1 - v0, accumulate }));
          });
        }
        for (const { v0, v1, gradient } of cut) {
          if (!gradient) continue;
          const dW = { ...operand, a0: v0, layout: 'tn', y: gradient, b: chunk(normed), m: v1 - v0, n: C, k: m, live } as const;
          list.push(product({ ...dW, label: `${label}/dW`, accumulate: row0 === 0 ? 'frame' : 'yes' }));
        }
      });
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
  const transients = new Transients();
  const { whole, part } = vocabularyPieces(context, 1);
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
    ...logitsOf(context, transients, whole, part, site.value(op.y), 1, 'head gen'),
  ];
  return { name: 'head generate', transients, segments: [{ name: 'head generate', dispatches }] };
}
