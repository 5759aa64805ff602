// The buffers of a run, except the pool of short-lived ones: weights by block, optimizer slots, saved
// activations, inputs, workspace, cache, staging.

import { layerOps } from './layers';
import { operation, valueWidths } from './ops/registry';
import { recomputedValues } from './recompute';
import type { Block, AlwaysOnName, InputName, RopeBuffers, RunBuffers, Slot, Trainable } from './run-buffers';
import { elementsOf, type BlockName } from '../model/types';
import { loraInner, loraRows } from './lora-layout';
import type { PlanInput } from './input';
import { layoutBlock, rowsByBlock, type BlockLayout } from './layout';
import { frameSpec } from '../dispatch/frame';
import { asF32, storedTable } from './storage';
import { stateBytes } from '../shaders/adamw/adamw';
import { squareGroups } from '../shaders/reduce/grad_norm';
import { placeCache } from './cache-place';
import { rowsMaster, trainedRowsLayout } from './token-rows';
import { shardedBuffer, type ShardedBuffer } from './sharded-buffer';
import { BINDING_ALIGNMENT, elementBytes, FULL_VIEW, roundUp, type BufferSpec } from '../dispatch/types';
import type { MemoryCategory } from '../dispatch/memory';

/** In the order of their rows in the scalars buffer; slots come after them. */
export const ALWAYS_ON_NAMES: readonly AlwaysOnName[] = ['embedding', 'norm', 'head'];

/** Bytes of a chunk of logits: a small part of a run's memory, and little where the run asks to save memory. */
const LEAST_LOGITS_BYTES = 2 * 2 ** 20;
const MOST_LOGITS_BYTES = 128 * 2 ** 20;
const LOGITS_SHARE = 1 / 16;
const LEAST_STAGING_BYTES = 2 ** 18;
const MOST_STAGING_BYTES = 2 ** 22;
const STATS_BYTES = 32;

export function runBuffers(input: PlanInput): RunBuffers {
  const { shape, rows } = input;
  const training = input.purpose === 'train';
  const all: BufferSpec[] = [];
  type Describe = (name: string, bytes: number, memory: MemoryCategory, block?: string, kind?: BufferSpec['kind']) => BufferSpec;
  const describe: Describe = (name, bytes, memory, block, kind = 'storage') => ({ name, bytes: roundUp(bytes, 16), memory, kind, block });
  const make: Describe = (...description) => {
    const spec = describe(...description);
    all.push(spec);
    return spec;
  };
  /** For buffers that only steps and evaluations bind: a plan that generates describes them but does not have them. */
  const makeToTrain = input.purpose === 'generate' ? describe : make;
  const makeSharded = (name: string, layout: BlockLayout, memory: MemoryCategory, block: string): ShardedBuffer =>
    shardedBuffer(name, layout, (shard, bytes, tensor) => {
      const spec: BufferSpec = { ...describe(shard, bytes, memory, block), tensor };
      all.push(spec);
      return spec;
    });

  const blocks = new Map<BlockName, Block>();
  const table = storedTable(input);
  // Where layers train on masters, the f32 weights of what trains beside them are masters as well: nothing packed stands behind them.
  const mastered = table.some(({ master }) => master !== null);
  const isMaster = (name: BlockName): boolean =>
    mastered && ALWAYS_ON_NAMES.some((each) => each === name && input.alwaysOn[each] && (each === 'norm' || !input.trainedRows[each]));
  for (const [name, list] of rowsByBlock(table)) {
    const layout = layoutBlock(list, input.shardBytes);
    const first = blocks.get('layer.0');
    if (input.purpose === 'evaluate' && first && list[0].layer !== null) {
      // All layers have one layout, and their weights take turns.
      blocks.set(name, { ...first, rows: list });
      continue;
    }
    blocks.set(name, { weights: makeSharded(name, layout, isMaster(name) ? 'masters' : 'weights', name), layout, rows: list });
  }
  const ops = layerOps(shape);
  const widths = valueWidths(ops, shape);
  const linears = ops.filter((op) => op.kind === 'linear');
  const layers = Array.from({ length: shape.layers }, (_, i) => i);
  const adapters = layers
    .filter(() => input.lora !== null)
    .map((i): Block => {
      const list = loraRows(linears, i, input.lora!.rank);
      const layout = layoutBlock(list, input.shardBytes);
      return { weights: makeSharded(`adapter.${i}`, layout, 'weights', `layer.${i}`), layout, rows: list };
    });

  /** m or v: cut where the gradient is, each shard in as many bytes as its elements take. */
  const makeState = (name: string, gradient: ShardedBuffer, block: string): ShardedBuffer => {
    let at = 0;
    const shards = gradient.shards.map(({ view }, index) => {
      const bytes = stateBytes(view.bytes / 4, input.optimizerState);
      const spec = {
        ...describe(gradient.shards.length === 1 ? name : `${name}.${index}`, bytes, 'optimizer', block),
        tensor: view.buffer.tensor,
      };
      all.push(spec);
      at += bytes;
      return { at: at - bytes, view: FULL_VIEW(spec) };
    });
    return { name, bytes: at, shards };
  };
  let partialsAt = 0;
  const trainable = (
    name: string,
    layout: BlockLayout,
    scalars: number,
    block: string,
    master: ShardedBuffer | null,
    gradient = makeSharded(`${name}.gradient`, layout, 'gradients', block),
  ): Trainable => {
    const partials = gradient.shards.reduce((sum, { view }) => sum + squareGroups(view.bytes / 4), 0);
    const made = {
      name,
      layout,
      gradient,
      m: makeState(`${name}.m`, gradient, block),
      v: makeState(`${name}.v`, gradient, block),
      master,
      scalars,
      partialsAt,
      partials,
    };
    // Ranges start at whole bindings, so that an idle slot's can be cleared.
    partialsAt += roundUp(partials, 64);
    return made;
  };
  const alwaysOn = new Map<AlwaysOnName, Trainable>();
  for (const name of ALWAYS_ON_NAMES) {
    if (!input.alwaysOn[name]) continue;
    const block = blocks.get(name)!;
    const byRows = name !== 'norm' && input.trainedRows[name];
    const layout = byRows ? trainedRowsLayout(block.rows, input) : block.layout;
    const master = byRows ? rowsMaster(block, layout, (part) => makeSharded(`${name}.master`, part, 'masters', name)) : null;
    alwaysOn.set(name, trainable(name, layout, ALWAYS_ON_NAMES.indexOf(name), name, master));
  }

  // What a frozen layer keeps for the gradient of its input, and what a trained one keeps beyond that.
  const value = (name: string, owner: string, block: string): [string, BufferSpec] => [
    name,
    make(`${owner}.${name}`, rows * widths.get(name)! * 4, 'activations', block),
  ];
  // Values that the backward computes again are short-lived, so they have no buffer of their own.
  const again = recomputedValues(ops, shape, input.recompute);
  const keep = (names: Iterable<string>): string[] =>
    [...new Set(names)].filter((name) => name !== 'in' && name !== 'out' && !again.has(name));
  const frozenSaves = keep(ops.flatMap((op) => operation(op).keptForInput(op, shape)));
  const trainedSaves = keep(
    ops.flatMap((op) => (input.lora && op.kind !== 'linear' ? [] : operation(op).keptForWeights(op, shape))),
  ).filter((name) => !frozenSaves.includes(name));
  const saved = layers.map((i) => new Map(i < input.lowest ? [] : frozenSaves.map((name) => value(name, `layer.${i}`, `layer.${i}`))));
  const layerRows = blocks.get('layer.0')!.rows;
  const layerLayout = layoutBlock(layerRows.map(asF32), input.shardBytes);
  const slotLayout = (index: number): BlockLayout => (input.lora ? adapters[index].layout : layerLayout);
  // Layers that are updated at once have one gradient in turn; they all have one layout.
  const shared = input.updateAtOnce && input.slots > 0 ? makeSharded('layers.gradient', slotLayout(0), 'gradients', 'layers') : undefined;
  const slots = Array.from({ length: input.slots }, (_, index): Slot => {
    const name = `slot.${index}`;
    const own = input.method === 'lisa' ? name : `layer.${index}`;
    const extras = new Map(trainedSaves.map((label) => value(label, name, own)));
    if (input.lora) {
      for (const op of linears) {
        const label = loraInner(op);
        extras.set(label, make(`${name}.${label}`, rows * op.slices.length * input.lora.rank * 4, 'activations', own));
      }
    }
    const master = layerRows[0].master ? makeSharded(`${name}.master`, layerLayout, 'masters', own) : null;
    return { ...trainable(name, slotLayout(index), 3 + index, own, master, shared), index, saved: extras };
  });

  const streamBytes = rows * shape.width * 4;
  const top = make('stream.top', streamBytes, 'activations');
  // Below the lowest saved layer nothing is kept: two buffers take turns, and the top one is free until the end. Generating needs only one:
  // no dispatch reads a layer's input and writes its output.
  const second = training && input.lowest >= 2 ? make('stream.second', streamBytes, 'activations') : top;
  const stream = [
    ...layers.map((i) =>
      i < input.lowest ? (i % 2 === 0 ? top : second) : make(`layer.${i}.in`, streamBytes, 'activations', `layer.${i}`),
    ),
    top,
  ];

  const packed = packInputs(input);
  const inputs = make('inputs', packed.bytes, 'inputs');
  const positions = Math.max(input.seqLen, input.cacheTokens);
  const ropeTables = (name: string): RopeBuffers => ({
    cos: make(`${name}.cos`, positions * (shape.headDim / 2) * 4, 'inputs'),
    sin: make(`${name}.sin`, positions * (shape.headDim / 2) * 4, 'inputs'),
    positions,
  });
  const rope = shape.rope && ropeTables('rope');
  const localRope = shape.window?.rope ? ropeTables('rope.local') : null;
  const logitsStride = roundUp(shape.vocab, 4);
  const chunkRows = headRows(input, logitsStride, all, blocks.values());
  const packing = packingOf(blocks.values(), make);
  const cacheBytes = roundUp(input.cacheTokens * shape.kvHeads * shape.headDim * 4, 16);
  // Padding of a gradient must stay zero, because it is summed with the rest.
  const dense = [...alwaysOn.values(), ...slots].filter(({ layout }) => layout.bytes === 4 * layout.parameters);
  const stepsOnly = [
    ...[...saved, ...slots.map((slot) => slot.saved)].flatMap((values) => [...values.values()]),
    ...stream.filter((spec) => spec !== top),
    ...dense.flatMap(({ gradient }) => gradient.shards.map(({ view }) => view.buffer)),
  ];
  const answering = input.purpose === 'evaluate' ? [] : layers;
  const cachePlaces = placeCache(
    answering.flatMap((i) => [`cache.${i}.k`, `cache.${i}.v`]),
    cacheBytes,
    training ? stepsOnly : [],
    (name) => make(name, cacheBytes, 'cache', `layer.${name.split('.')[1]}`),
  );
  const frame = frameSpec();
  all.push(frame);
  return {
    blocks,
    adapters,
    alwaysOn,
    slots,
    saved,
    stream,
    inputs,
    inputViews: new Map([...packed.views].map(([name, { offset, bytes }]) => [name, { buffer: inputs, offset, bytes }])),
    rowTokens: input.trainedRows.count > 0 ? make('rows.tokens', input.trainedRows.count * 4, 'inputs') : null,
    rope,
    localRope,
    scalars: makeToTrain('scalars', (3 + input.slots) * 16, 'inputs'),
    stats: makeToTrain('stats', STATS_BYTES, 'workspace'),
    partials: makeToTrain('partials', Math.max(1, partialsAt) * 4, 'workspace'),
    blockStats: input.clipByBlock ? makeToTrain('stats.blocks', (3 + input.slots) * BINDING_ALIGNMENT, 'workspace') : null,
    losses: makeToTrain('losses', rows * 4, 'workspace'),
    logits: make('logits', (input.purpose === 'generate' ? 1 : Math.min(chunkRows, rows)) * logitsStride * 4, 'workspace'),
    logitsStride,
    chunkRows,
    cache: answering.map((i) => ({ k: cachePlaces.get(`cache.${i}.k`)!, v: cachePlaces.get(`cache.${i}.v`)! })),
    packing,
    frame,
    statsStaging: [
      makeToTrain('staging.stats.0', STATS_BYTES, 'staging', undefined, 'readback'),
      makeToTrain('staging.stats.1', STATS_BYTES, 'staging', undefined, 'readback'),
    ],
    partialsStaging: input.layerNorms
      ? [
          makeToTrain('staging.partials.0', Math.max(1, partialsAt) * 4, 'staging', undefined, 'readback'),
          makeToTrain('staging.partials.1', Math.max(1, partialsAt) * 4, 'staging', undefined, 'readback'),
        ]
      : null,
    staging: make('staging', Math.max(stagingBytes(blocks.get('layer.0')!), shape.vocab * 4), 'staging', undefined, 'readback'),
    all,
  };
}

/**
 * Bytes that are read back at a time: about an eighth of a layer, within bounds. Every piece is mapped by itself, and some browsers look for
 * what is mapped only every 100 ms, so that a layer in many small pieces would take seconds.
 */
function stagingBytes({ rows }: Block): number {
  const layer = rows.reduce((sum, row) => sum + 4 * elementsOf(row), 0);
  return Math.min(MOST_STAGING_BYTES, Math.max(LEAST_STAGING_BYTES, 2 ** Math.floor(Math.log2(layer / 8))));
}

/**
 * Rows of a chunk of the head. Few chunks are faster, since each reads the head's matrix and its gradient; so logits may take a share of what
 * weights, gradients, state and kept values take already.
 */
function headRows(input: PlanInput, stride: number, others: readonly BufferSpec[], blocks: Iterable<Block>): number {
  const { rows, recompute, optimizerState, trainedRows, updateAtOnce } = input;
  const quantised = [...blocks].some((block) => block.rows.some(({ stored }) => stored === 'int8' || stored === 'int4'));
  const saving =
    input.purpose === 'evaluate' || quantised || recompute !== 'off' || optimizerState !== 'f32' || trainedRows.count > 0 || updateAtOnce;
  const share = saving ? 0 : LOGITS_SHARE * others.reduce((sum, { bytes }) => sum + bytes, 0);
  const bytes = Math.max(LEAST_LOGITS_BYTES, Math.min(MOST_LOGITS_BYTES, share));
  const most = Math.max(64, Math.floor(bytes / (stride * 4) / 64) * 64);
  // As many chunks as that takes, of equal length.
  return roundUp(Math.ceil(rows / Math.ceil(rows / most)), 64);
}

/** Elements that become codes at a time: 1 MiB in f32. */
const PACKED_AT_ONCE = 2 ** 18;

function packingOf(
  blocks: Iterable<Block>,
  make: (name: string, bytes: number, memory: MemoryCategory) => BufferSpec,
): RunBuffers['packing'] {
  const rows = [...blocks].flatMap((block) => block.rows).filter(({ stored }) => stored === 'int8' || stored === 'int4');
  const [first] = rows;
  if (!first || first.stored === 'f32') return null;
  const { stored } = first;
  const elements = Math.min(
    PACKED_AT_ONCE,
    rows.reduce((most, row) => Math.max(most, elementsOf(row)), 0),
  );
  const codes = make('packing.codes', elements * elementBytes({ stored }), 'staging');
  return {
    values: make('packing.values', elements * 4, 'staging'),
    codes: { buffer: codes, offset: 0, bytes: codes.bytes, stored },
    elements,
  };
}

function packInputs(input: PlanInput): { bytes: number; views: Map<InputName, { offset: number; bytes: number }> } {
  const { rows, alwaysOn, shape, purpose } = input;
  const names: [InputName, number][] =
    purpose !== 'generate'
      ? [
          ['tokens', rows],
          ...(input.trainedRows.embedding ? [['rowOfToken', rows] satisfies [InputName, number]] : []),
          ['segStart', rows],
          ['segEnd', rows],
          ...(shape.window
            ? ([
                ['windowStart', rows],
                ['windowEnd', rows],
              ] satisfies [InputName, number][])
            : []),
          ['targetRows', rows],
          ['labels', rows],
          ['inverse', rows],
        ]
      : [
          ['tokens', rows],
          // Only learned positions need it.
          ...(shape.rope ? [] : [['segStart', rows] satisfies [InputName, number]]),
          ['targetRows', 1],
        ];
  if (alwaysOn.embedding) names.push(['tokenOrder', rows], ['tokenGroupStart', rows + 1], ['tokenGroupId', rows]);
  if (alwaysOn.embedding && !shape.rope) names.push(['positionOrder', rows], ['positionGroupStart', rows + 1], ['positionGroupId', rows]);
  const views = new Map<InputName, { offset: number; bytes: number }>();
  let at = 0;
  for (const [name, count] of names) {
    views.set(name, { offset: at, bytes: roundUp(count * 4, 16) });
    at = roundUp(at + count * 4, 256);
  }
  return { bytes: at, views };
}
