// The bottom of the model: token (and learned position) embeddings and their gradients. A token table that lies in
// several buffers is taken in shards, one dispatch each.

import { embeddingBwdDw, embeddingFwd, type TableShard } from '../shaders/embedding/embedding';
import { fill } from '../shaders/copy/fill';
import { block, liveRows, Transients, type Context, type Unit } from './emit';
import type { InputName } from './run-buffers';
import { tensorRows, tensorView, type RowsView } from './sharded-buffer';
import { FULL_VIEW, type Dispatch, type View } from '../dispatch/types';

/** The shard of the table that a dispatch covers, if the table has several. */
const shardOf = ({ first, rows }: RowsView, all: readonly RowsView[]): TableShard | undefined =>
  all.length > 1 ? { first, count: rows } : undefined;

export function embeddingForward(context: Context, mode: 'train' | 'generate'): Unit {
  const { input, buffers } = context;
  const { width } = input.shape;
  const { weights, layout, rows: tensors } = block(context, 'embedding');
  const [tokens, positions] = ['embedding', 'position'].map((role) => tensors.find((row) => row.role === role)?.local);
  const positionTable = positions === undefined ? undefined : tensorView(weights, layout, positions);
  const table = tensorRows(weights, layout, tokens!, width);
  const lookUp = (label: string, ids: InputName, { view }: RowsView, shard: TableShard | undefined): Dispatch =>
    embeddingFwd({
      label,
      x: FULL_VIEW(buffers.stream[mode === 'generate' ? input.shape.layers : 0]),
      tokens: buffers.inputViews.get(ids)!,
      table: view,
      shard,
      scale: input.shape.embeddingScale,
      // While sampling the stream is one document that starts at token 0 (the inputs' segStart is all zero then).
      ...(positionTable && { positionTable, segStart: buffers.inputViews.get('segStart')! }),
      rows: input.rows,
      width,
      live: liveRows,
    });
  const dispatches = table.map((rows) => lookUp(`embedding ${mode}`, 'tokens', rows, shardOf(rows, table)));
  if (input.trainedRows.embedding) {
    // Tokens whose rows train are looked up again, where those rows are. Other tokens have no place there and are left as they are.
    const { master, layout: part } = buffers.alwaysOn.get('embedding')!;
    for (const rows of tensorRows(master!, part, tokens!, width))
      dispatches.push(lookUp(`embedding rows ${mode}`, 'rowOfToken', rows, { first: rows.first, count: rows.rows }));
  }
  const name = `embedding ${mode}`;
  return { name, transients: new Transients(), segments: [{ name, dispatches }] };
}

/**
 * Adds the stream's gradient to the gradient rows of its tokens and positions. With a tied head the token part
 * has been assigned by the head before; otherwise it is cleared here first.
 */
export function embeddingBackward(context: Context): Unit {
  const { input, buffers } = context;
  const { shape, rows } = input;
  const { width } = shape;
  const trained = buffers.alwaysOn.get('embedding')!;
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
    const table = tensorRows(trained.gradient, trained.layout, row.local, width);
    for (const held of table) {
      if (positions || !shape.tied)
        dispatches.push(fill({ label: `${row.local} clear`, x: held.view, elements: held.rows * width, value: 0, onlyFirst: true }));
      const scale = positions ? 1 : shape.embeddingScale;
      dispatches.push(embeddingBwdDw({ label, dw: held.view, scale, shard: shardOf(held, table), dx, rows, width, ...groups }));
    }
  }
  return { name: 'embedding bwd', transients: new Transients(), segments: [{ name: 'embedding bwd', dispatches }] };
}
