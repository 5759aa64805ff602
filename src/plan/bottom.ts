// The bottom of the model: token (and learned position) embeddings and their gradients. A token table that is
// larger than a binding is taken in parts of rows, a dispatch each.

import { embeddingBwdDw, embeddingFwd, type TablePart } from '../shaders/embedding';
import { fill } from '../shaders/fill';
import type { InputName } from './buffers';
import { block, liveRows, Transients, type Context } from './emit';
import type { EmittedUnit } from './layer';
import { matrixRows, rowsOfBinding, tensorView } from './layout';
import { FULL_VIEW, type Dispatch, type View } from './types';

/** A table of [rows, columns] as bindings; one without `part` where it fits whole. */
function tableParts(
  view: View,
  rows: number,
  columns: number,
): { readonly view: View; readonly rows: number; readonly part?: TablePart }[] {
  const step = rowsOfBinding(columns);
  if (rows <= step) return [{ view, rows }];
  return Array.from({ length: Math.ceil(rows / step) }, (_, i) => {
    const first = i * step;
    const count = Math.min(step, rows - first);
    return { view: matrixRows(view, first, first + count, columns), rows: count, part: { first, count } };
  });
}

export function embeddingForward(context: Context, mode: 'train' | 'generate'): EmittedUnit {
  const { input, buffers } = context;
  const { vocab, width } = input.shape;
  const { spec, layout, rows: tensors } = block(context, 'embedding');
  const table = (role: string): View | undefined => {
    const row = tensors.find((t) => t.role === role);
    return row && tensorView(spec, layout, row.local);
  };
  const positionTable = table('position');
  // While sampling the stream is one segment that starts at token 0 (the inputs' segStart is all zero then).
  const dispatches = tableParts(table('embedding')!, vocab, width).map(({ view, part }) =>
    embeddingFwd({
      label: `embedding ${mode}`,
      x: FULL_VIEW(buffers.stream[0]),
      tokens: buffers.inputViews.get('tokens')!,
      table: view,
      part,
      ...(positionTable && { positionTable, segStart: buffers.inputViews.get('segStart')! }),
      rows: input.rows,
      width,
      live: liveRows,
    }),
  );
  const name = `embedding ${mode}`;
  return { name, transients: new Transients(), segments: [{ name, dispatches }] };
}

/**
 * Adds the stream's gradient to the gradient rows of its tokens and positions. With a tied head the token part
 * has been assigned by the head before; otherwise it is cleared here first.
 */
export function embeddingBackward(context: Context): EmittedUnit {
  const { input, buffers } = context;
  const { shape, rows } = input;
  const { width } = shape;
  const trained = buffers.edges.get('embedding')!;
  const { rows: tensors } = block(context, 'embedding');
  const dx = FULL_VIEW(buffers.stream[shape.layers]);
  const indices = (name: InputName): View => buffers.inputViews.get(name)!;
  const dispatches: Dispatch[] = [];
  for (const row of tensors) {
    const positions = row.role === 'position';
    const label = `${row.local} dW`;
    const groups = positions
      ? ({
          order: indices('positionOrder'),
          groupStart: indices('positionGroupStart'),
          groupId: indices('positionGroupId'),
          groups: Math.min(rows, input.seqLen),
          extent: 'positionGroups',
        } as const)
      : ({
          order: indices('tokenOrder'),
          groupStart: indices('tokenGroupStart'),
          groupId: indices('tokenGroupId'),
          groups: Math.min(rows, shape.vocab),
          extent: 'tokenGroups',
        } as const);
    for (const { view, rows: held, part } of tableParts(tensorView(trained.gradient, trained.layout, row.local), row.shape[0], width)) {
      if (positions || !shape.tied)
        dispatches.push(fill({ label: `${row.local} clear`, x: view, elements: held * width, value: 0, onlyFirst: true }));
      dispatches.push(embeddingBwdDw({ label, dw: view, part, dx, rows, width, ...groups }));
    }
  }
  return { name: 'embedding bwd', transients: new Transients(), segments: [{ name: 'embedding bwd', dispatches }] };
}
