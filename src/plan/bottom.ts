// The bottom of the model: token (and learned position) embeddings and their gradients.

import { embeddingBwd, embeddingFwd } from '../shaders/embedding';
import { fill } from '../shaders/fill';
import { block, liveRows, Transients, type Context } from './emit';
import type { EmittedUnit } from './layer';
import { tensorView } from './layout';
import { FULL_VIEW, type Dispatch, type View } from './types';

export function embeddingForward(context: Context, mode: 'train' | 'generate'): EmittedUnit {
  const { input, buffers } = context;
  const { spec, layout, rows: tensors } = block(context, 'embedding');
  const table = (role: string): View | undefined => {
    const row = tensors.find((t) => t.role === role);
    return row && tensorView(spec, layout, row.local);
  };
  const positionTable = table('position');
  // While sampling the stream is one segment that starts at token 0 (the inputs' segStart is all zero then).
  const dispatch = embeddingFwd({
    label: `embedding ${mode}`,
    x: FULL_VIEW(buffers.stream[0]),
    tokens: buffers.inputViews.get('tokens')!,
    table: table('embedding')!,
    ...(positionTable && { positionTable, segStart: buffers.inputViews.get('segStart')! }),
    rows: input.rows,
    width: input.shape.width,
    live: liveRows,
  });
  const name = `embedding ${mode}`;
  return { name, transients: new Transients(), segments: [{ name, dispatches: [dispatch] }] };
}

/**
 * Adds the stream's gradient to the gradient rows of its tokens and positions. With a tied head the token part
 * has been assigned by the head before; otherwise it is cleared here first.
 */
export function embeddingBackward(context: Context): EmittedUnit {
  const { input, buffers } = context;
  const { shape, rows } = input;
  const trained = buffers.edges.get('embedding')!;
  const { rows: tensors } = block(context, 'embedding');
  const dx = FULL_VIEW(buffers.stream[shape.layers]);
  const view = (name: Parameters<typeof buffers.inputViews.get>[0]): View => buffers.inputViews.get(name)!;
  const dispatches: Dispatch[] = [];
  for (const row of tensors) {
    const dw = tensorView(trained.gradient, trained.layout, row.local);
    const positions = row.role === 'position';
    if (positions || !shape.tied)
      dispatches.push(fill({ label: `${row.local} clear`, x: dw, elements: row.shape[0] * row.shape[1], value: 0, onlyFirst: true }));
    const common = { label: `${row.local} dW`, dw, dx, rows, width: shape.width };
    dispatches.push(
      positions
        ? embeddingBwd({
            ...common,
            order: view('positionOrder'),
            groupStart: view('positionGroupStart'),
            groupId: view('positionGroupId'),
            groups: Math.min(rows, input.seqLen),
            extent: 'positionGroups',
          })
        : embeddingBwd({
            ...common,
            order: view('tokenOrder'),
            groupStart: view('tokenGroupStart'),
            groupId: view('tokenGroupId'),
            groups: Math.min(rows, shape.vocab),
            extent: 'tokenGroups',
          }),
    );
  }
  return { name: 'embedding bwd', transients: new Transients(), segments: [{ name: 'embedding bwd', dispatches }] };
}
