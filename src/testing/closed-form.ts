// Memory of a run as arithmetic on the model's numbers: an independent account to compare the plan with. It uses no code of the plan, only
// the descriptions in the docs. Where each number comes from stands beside it.
//
// N rows, T context, C width, Q = H·D, U = K·D, F feed-forward, V vocabulary, L layers, S slots.

import type { ModelShape } from '../model/types';
import type { CategoryBytes } from '../dispatch/memory';

export interface RunNumbers {
  readonly shape: ModelShape;
  readonly method: 'full' | 'lisa' | 'lora';
  /** S: L for full and LoRA. */
  readonly slots: number;
  /** Lowest layer of the schedule; 0 where the embedding trains. */
  readonly lowest: number;
  readonly alwaysOn: { readonly embedding: boolean; readonly norm: boolean; readonly head: boolean };
  /** Tensors of which only the rows of R tokens train, and the first T positions; R = 0 if there are none. */
  readonly trainedRows?: { readonly embedding: boolean; readonly head: boolean; readonly count: number };
  readonly rank: number;
  readonly rows: number;
  readonly seqLen: number;
  readonly cacheTokens: number;
  /** True if matrices, embedding and head came in 16 bits and are stored so where that is allowed. */
  readonly halves?: boolean;
  /** Each is clipped by its own norm; and layers are updated at once, with one gradient for all. */
  readonly clipByBlock?: boolean;
  readonly updateAtOnce?: boolean;
  /** Distinct parameter structs of all dispatches: counted, not derived. */
  readonly paramSlots: number;
  /** Largest buffer in bytes; larger blocks are cut. */
  readonly shardBytes: number;
}

const up = (value: number, step: number): number => Math.ceil(value / step) * step;
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
/** A buffer of n four-byte elements. */
const buffer = (n: number): number => up(4 * n, 16);

/** The tensors of a block: elements of one that is bound whole, or sizes of a vocabulary matrix, which may be cut. */
type Tensors = readonly (number | { readonly rows: number; readonly columns: number })[];

/**
 * Bytes of the buffers that hold these tensors, `most` bytes in each. A buffer takes as many tensors as fit; a vocabulary matrix that is
 * longer is cut into pieces of as many times 64 rows as fit, and any other tensor that is longer has a buffer of its own.
 */
function buffersOf(tensors: Tensors, most: number): number[] {
  const pieces = tensors.flatMap((tensor) => {
    if (typeof tensor === 'number') return [{ bytes: up(4 * tensor, 256), opens: false }];
    const row = 4 * tensor.columns;
    const step = Math.max(64, Math.floor(most / row / 64) * 64);
    return Array.from({ length: Math.ceil(tensor.rows / step) }, (_, i) => ({
      bytes: up(row * Math.min(step, tensor.rows - i * step), 256),
      // Every piece begins a buffer; only the last one's may have room for more.
      opens: tensor.rows > step,
    }));
  });
  const buffers: number[] = [];
  for (const { bytes, opens } of pieces) {
    const last = buffers.at(-1);
    if (last === undefined || opens || last + bytes > most) buffers.push(bytes);
    else buffers[buffers.length - 1] = last + bytes;
  }
  return buffers;
}

/** Bytes of these tensors, in 16 bits if their rows (lengths by tensor; 0 for a tensor that stays f32) are whole quads. */
const halved = (elements: readonly number[], columns: readonly number[]): number =>
  sum(elements.map((n, i) => up((columns[i] > 0 && columns[i] % 4 === 0 ? 2 : 4) * n, 256)));

interface Widths {
  readonly C: number;
  readonly Q: number;
  readonly U: number;
  readonly F: number;
  readonly H: number;
  readonly llama: boolean;
  /** Columns of the first feed-forward matrix: gate and up side by side, or one. */
  readonly wide: number;
}

function widths(s: ModelShape): Widths {
  const llama = s.style === 'llama';
  return { C: s.width, Q: s.heads * s.headDim, U: s.kvHeads * s.headDim, F: s.ff, H: s.heads, llama, wide: llama ? 2 * s.ff : s.ff };
}

function layerTensors(s: ModelShape): number[] {
  const { C, Q, U, F, llama, wide } = widths(s);
  const matrices = [C * (Q + 2 * U), Q * C, C * wide, F * C];
  if (!llama) return [...matrices, C, C, C, C, 3 * C, C, F, C];
  const biases = [...(s.qkvBias ? [Q + 2 * U] : []), ...(s.attentionOutBias ? [C] : []), ...(s.mlpBias ? [2 * F, C] : [])];
  const headNorms = s.qkNorm ? [2 * s.headDim] : [];
  const norms = s.sandwich ? [C, C, C, C] : [C, C];
  return [...matrices, ...norms, ...headNorms, ...biases];
}

/** Columns of a layer's matrices as they are stored, in the order of layerTensors; 0 for its vectors. */
function layerColumns(s: ModelShape): number[] {
  const { C, Q, F, llama } = widths(s);
  const matrices = llama ? [C, Q, C, F] : [3 * C, C, F, C];
  return layerTensors(s).map((_, i) => matrices[i] ?? 0);
}

/** [in, out of each part] of a layer's linears. */
function linears(s: ModelShape): [number, number[]][] {
  const { C, Q, U, F, llama } = widths(s);
  return [
    [C, llama ? [Q, U, U] : [3 * C]],
    [Q, [C]],
    [C, llama ? [F, F] : [F]],
    [F, [C]],
  ];
}

const adapterTensors = (s: ModelShape, r: number): number[] =>
  linears(s).flatMap(([inputs, parts]) => [parts.length * r * inputs, ...parts.map((out) => out * r)]);

/** Widths per row of the values that every layer keeps for the gradient of its input. */
function keptFrozen(s: ModelShape): number[] {
  const { C, Q, U, H, llama, wide } = widths(s);
  const norm = llama ? 1 : 2;
  // Head norms keep the unnormed q and k, and one number per head.
  const headNorm = s.qkNorm ? [Q + U, H + s.kvHeads] : [];
  // A norm after attention or feed-forward keeps what it norms.
  const after = s.sandwich ? [C, 1] : [];
  return [norm, Q + 2 * U, ...headNorm, Q, H, ...after, C, norm, wide, ...after];
}

/** Further values that weight gradients need: both norms' outputs and the activation (attention's output is kept anyway). */
const keptTrained = (s: ModelShape): number[] => [s.width, s.width, s.ff];

export function closedForm(run: RunNumbers): CategoryBytes {
  const { shape: s, method, slots, lowest, alwaysOn, rank, rows: N, seqLen, cacheTokens } = run;
  const { embedding: byRows, head: headByRows, count: R } = run.trainedRows ?? { embedding: false, head: false, count: 0 };
  const { C, Q, U } = widths(s);
  const V = s.vocab;
  const L = s.layers;
  const lora = method === 'lora';

  const matrix = { rows: V, columns: C };
  const cut = (tensors: Tensors): number[] => buffersOf(tensors, run.shardBytes);
  const embedding = cut(s.rope ? [matrix] : [matrix, s.maxPositions * C]);
  const norm = cut(s.norm === 'rms' ? [C] : [C, C]);
  const head = s.tied ? [] : cut([matrix]);
  const layer = cut(layerTensors(s));
  const adapter = cut(adapterTensors(s, rank));
  // Positions train in place, up to T (a multiple of four elements), and have buffers of their own.
  const part = cut([{ rows: R, columns: C }]);
  const positions = Math.min(s.maxPositions, C % 4 === 0 ? seqLen : up(seqLen, 4));
  const partOfEmbedding = [...part, ...(s.rope ? [] : cut([positions * C]))];
  const trained = [
    ...(alwaysOn.embedding ? [byRows ? partOfEmbedding : embedding] : []),
    ...(alwaysOn.norm ? [norm] : []),
    ...(alwaysOn.head ? [headByRows ? part : head] : []),
    ...Array.from({ length: slots }, () => (lora ? adapter : layer)),
  ];
  const state = sum(trained.flat());

  // Sums of squares: one partial per 4096 elements, at most 128 per buffer; each trainable's partials start at a whole binding.
  const partials = (buffers: readonly number[]): number => up(sum(buffers.map((bytes) => Math.min(128, Math.ceil(bytes / 4 / 4096)))), 64);
  const indices = 6 + (s.window ? 2 : 0) + (byRows ? 1 : 0) + (alwaysOn.embedding ? 3 : 0) + (alwaysOn.embedding && !s.rope ? 3 : 0);
  // The array of group starts has one entry more than rows.
  const longIndices = (alwaysOn.embedding ? 1 : 0) + (alwaysOn.embedding && !s.rope ? 1 : 0);
  const ropeTables = s.window?.rope ? 4 : 2;
  const ropeTable = s.rope ? buffer(Math.max(seqLen, cacheTokens) * (s.headDim / 2)) : 0;
  const inner = lora ? sum(linears(s).map(([, parts]) => buffer(N * parts.length * rank))) : 0;
  const kept = (columns: readonly number[]): number => sum(columns.map((w) => buffer(N * w)));
  const streams = 1 + (lowest >= 2 ? 1 : 0) + (L - lowest);

  // K and V while sampling lie in what only steps use, as far as they fit; in gradients if these have no padding.
  const cache = buffer(cacheTokens * U);
  const roomIn = (bytes: number): number => (bytes < cache ? 0 : 1 + Math.floor((bytes - cache) / up(cache, 256)));
  const places = (sizes: readonly number[]): number => sum(sizes.map(roomIn));
  const dense = (tensors: Tensors, buffers: readonly number[]): number[] => {
    const elements = sum(tensors.map((tensor) => (typeof tensor === 'number' ? tensor : tensor.rows * tensor.columns)));
    return sum(buffers) === 4 * elements ? [...buffers] : [];
  };
  const own = lora ? dense(adapterTensors(s, rank), adapter) : dense(layerTensors(s), layer);
  const positionTensor = s.rope ? [] : [(byRows ? positions : s.maxPositions) * C];
  const room =
    (L - lowest) * places(keptFrozen(s).map((w) => buffer(N * w))) +
    slots *
      places([
        ...keptTrained(s).map((w) => buffer(N * w)),
        ...(lora ? linears(s).map(([, parts]) => buffer(N * parts.length * rank)) : []),
      ]) +
    (streams - 1) * places([buffer(N * C)]) +
    (run.updateAtOnce ? 1 : slots) * places(own) +
    (alwaysOn.embedding
      ? places(dense([{ rows: byRows ? R : V, columns: C }, ...positionTensor], byRows ? partOfEmbedding : embedding))
      : 0) +
    (alwaysOn.norm ? places(dense(s.norm === 'rms' ? [C] : [C, C], norm)) : 0) +
    (alwaysOn.head ? places(dense([{ rows: headByRows ? R : V, columns: C }], headByRows ? part : head)) : 0);

  const halfLayer = halved(layerTensors(s), layerColumns(s));
  // γ layers in f32 beside all in 16 bits, if that is less than all in f32.
  const mastered = run.halves === true && method === 'lisa' && L * halfLayer + slots * sum(layer) < L * sum(layer);
  const frozen = run.halves === true && method !== 'full';
  const stored = {
    embedding: frozen && (!alwaysOn.embedding || byRows) ? halved(s.rope ? [V * C] : [V * C, s.maxPositions * C], [C, 0]) : sum(embedding),
    head: frozen && (!alwaysOn.head || headByRows) && !s.tied ? halved([V * C], [C]) : sum(head),
    layer: mastered || (frozen && lora) ? halfLayer : sum(layer),
  };

  const weights = stored.embedding + sum(norm) + stored.head + L * stored.layer + (lora ? L * sum(adapter) : 0);
  const masters = mastered ? slots * sum(layer) : 0;
  const keptValues = streams * buffer(N * C) + (L - lowest) * kept(keptFrozen(s)) + slots * (kept(keptTrained(s)) + inner);
  const inputs = (indices - longIndices) * up(4 * N, 256) + longIndices * up(4 * (N + 1), 256) + ropeTables * ropeTable;
  // A chunk of logits may take a sixteenth of all these, but 2 to 128 MiB; chunks have equal lengths. 2 MiB where the run saves memory.
  const saving = R > 0 || run.updateAtOnce === true;
  const share = saving ? 0 : (weights + masters + 3 * state + keptValues + inputs) / 16;
  const most = Math.max(64, Math.floor(Math.max(2 ** 21, Math.min(2 ** 27, share)) / (4 * up(V, 4)) / 64) * 64);
  const chunkRows = up(Math.ceil(N / Math.ceil(N / most)), 64);

  // Beside masters, the f32 weights of embedding, head and norm that train as a whole are masters, too.
  const alone = mastered
    ? (alwaysOn.embedding && !byRows ? sum(embedding) : 0) +
      (alwaysOn.norm ? sum(norm) : 0) +
      (alwaysOn.head && !headByRows ? sum(head) : 0)
    : 0;

  return {
    weights: weights - alone,
    masters: alone + masters + ((byRows ? 1 : 0) + (headByRows ? 1 : 0)) * sum(part),
    gradients: state - (run.updateAtOnce ? (slots - 1) * sum(lora ? adapter : layer) : 0),
    optimizer: 2 * state,
    activations: keptValues + sum(scratchPool(run, chunkRows)),
    workspace:
      32 +
      Math.max(16, 4 * sum(trained.map(partials))) +
      buffer(N) +
      buffer(Math.min(chunkRows, N) * up(V, 4)) +
      (run.clipByBlock ? (3 + slots) * 256 : 0),
    inputs: 32 + inputs + (3 + slots) * 16 + (R > 0 ? buffer(R) : 0) + 256 * run.paramSlots,
    cache: Math.max(0, 2 * L - room) * cache,
    staging: 2 * 32 + Math.max(2 ** Math.min(22, Math.max(18, Math.floor(Math.log2(sum(layer) / 8)))), up(4 * V, 16)),
  };

  function scratchPool({ shape }: RunNumbers, chunk: number): number[] {
    const columns: Record<string, number> = {
      n1: C,
      n2: C,
      qkv: Q + 2 * U,
      'qkv.raw': Q + U,
      'qkv.rstd': shape.heads + shape.kvHeads,
      'n1.stats': 2,
      'n2.stats': 2,
      'n.stats': 2,
      attn: Q,
      lse: shape.heads,
      mid: C,
      'mid.raw': C,
      'out.raw': C,
      up: widths(s).wide,
      act: s.ff,
      delta: shape.heads,
      // dK and dV of every query head.
      heads: 2 * Q,
      picked: C,
      normed: C,
      dNormed: C,
      dPicked: C,
      out: C,
    };
    const [attended, fed] = joined(s);
    const counts = linears(s).map(([, parts]) => parts.length * rank);
    const inners: Record<string, number> = { 'qkv.u': counts[0], [`${attended}.u`]: counts[1], 'up.u': counts[2], [`${fed}.u`]: counts[3] };
    // Every family of kernels has its own values; the pool serves each of them.
    const pools = (['software', 'card'] as const).map((kernels) => poolOf(unitsOf(kernels)));
    return Array.from({ length: Math.max(...pools.map((pool) => pool.length)) }, (_, i) => Math.max(...pools.map((pool) => pool[i] ?? 0)));

    function unitsOf(kernels: Kernels): { steps: readonly string[]; bytes(name: string): number }[] {
      return timelines(run, kernels, chunk).map(({ rows, steps }) => ({ steps, bytes: (name) => buffer(elements(name, rows)) }));
    }
    function elements(name: string, rows: number): number {
      // Logits of the rows that train exist for one chunk of rows.
      if (name === 'rowLogits') return Math.min(rows, chunk) * R;
      return name.startsWith('parts:') ? Number(name.slice(6)) : rows * width(name);
    }
    function width(name: string): number {
      const plain = name.replace(/^d\./, '');
      return inners[plain] ?? columns[plain] ?? 1;
    }
  }
}

/** What the products of attention and feed-forward are called that join the residual stream, or are normed before they do. */
const joined = (s: ModelShape): readonly [string, string] => (s.sandwich ? ['mid.raw', 'out.raw'] : ['mid', 'out']);

interface Timeline {
  readonly rows: number;
  /** The short-lived values that each dispatch (or group of dispatches in which no value dies) touches. */
  readonly steps: readonly string[];
}

type Kernels = 'software' | 'card';

/**
 * Graphics cards compute the head's input gradient in parts of its sum where few rows would leave them idle (25,000 invocations, 128 for 64 × 64
 * outputs): 512 terms a part at least, 16 parts at most. The elements of these parts, for each buffer that holds rows of the head.
 */
function headParts({ shape: { vocab, width }, shardBytes }: RunNumbers, rows: number): number[] {
  const partsOf = (terms: number): number =>
    Math.max(1, Math.min(Math.ceil(25_000 / (Math.ceil(rows / 64) * Math.ceil(width / 64) * 128)), Math.floor(terms / 512), 16));
  if (partsOf(vocab) === 1) return [];
  const step = Math.max(64, Math.floor(shardBytes / (4 * width) / 64) * 64);
  const held = Array.from({ length: Math.ceil(vocab / step) }, (_, i) => Math.min(step, vocab - i * step));
  return held
    .map(partsOf)
    .filter((count) => count > 1)
    .map((count) => count * rows * width);
}

/** Every kind of unit of work with its short-lived values, written down by hand. */
function timelines(run: RunNumbers, kernels: Kernels, chunkRows: number): Timeline[] {
  const { shape: s, method, lowest, alwaysOn, trainedRows, rows } = run;
  const llama = s.style === 'llama';
  const lora = method === 'lora';
  const [attended, fed] = joined(s);
  const stats = (name: string): string => `${name}.${llama ? 'rstd' : 'stats'}`;
  // Nothing is kept in these: sampling (log-sum-exp is not written there), and layers below the schedule's lowest.
  const nothingKept = (lse: string, u: (name: string) => string): string[] => [
    `n1 ${stats('n1')}`,
    `n1 qkv ${u('qkv')}`,
    s.qkNorm ? 'qkv qkv.raw qkv.rstd' : '',
    `qkv attn ${lse}`,
    `attn ${attended} ${u(attended)}`,
    s.sandwich ? 'mid.raw mid mid.rstd' : '',
    `mid n2 ${stats('n2')}`,
    `n2 up ${u('up')}`,
    'up act',
    `act mid ${fed === 'out' ? '' : fed} ${u(fed)}`,
    s.sandwich ? 'out.raw mid out.rstd' : '',
  ];
  const evaluated = ['n1', 'n2', 'act'];
  // 128 invocations for 64 rows of a kv head: fewer than 2^15 in all.
  const byHead = s.kvHeads < s.heads && Math.ceil(rows / 64) * s.kvHeads * 128 < 2 ** 15;
  const du = (name: string): string => (lora ? `d.${name}.u` : '');
  const backward = [
    s.sandwich ? 'd.out.raw' : '',
    `${s.sandwich ? 'd.out.raw' : ''} d.act ${du(fed)}`,
    'd.up d.act',
    `d.n2 d.up ${du('up')}`,
    'd.n2',
    s.sandwich ? 'd.mid.raw' : '',
    `${s.sandwich ? 'd.mid.raw' : ''} d.attn ${du(attended)}`,
    ...(kernels === 'software' ? ['d.attn delta', 'd.attn delta d.qkv'] : ['d.attn delta d.qkv']),
    // Where there are fewer kv heads than query heads, each of these has dK and dV of its own at first.
    ...(kernels === 'card' && byHead ? ['d.attn delta heads', 'd.qkv heads'] : []),
    `d.n1 d.qkv ${du('qkv')}`,
    'd.n1',
  ];
  const starts = Array.from({ length: Math.ceil(rows / chunkRows) }, (_, i) => i * chunkRows);
  const headTrained = s.tied ? alwaysOn.embedding : alwaysOn.head;
  const headByRows = trainedRows !== undefined && (s.tied ? trainedRows.embedding : trainedRows.head);
  const logits = headByRows ? ['normed', 'normed rowLogits'] : ['normed'];
  const gradients = headByRows ? ['rowLogits', 'dNormed', 'dNormed rowLogits normed'] : [`dNormed ${headTrained ? 'normed' : ''}`];
  const top = ['picked', `picked normed ${stats('n')}`];
  const head = [
    ...top,
    ...starts.flatMap((first) => [
      ...logits,
      ...(headByRows ? ['rowLogits'] : []),
      ...(kernels === 'card' ? headParts(run, Math.min(chunkRows, rows - first)) : []).map(
        (parts) => `dNormed parts:${parts} ${headByRows ? 'rowLogits' : ''}`,
      ),
      ...gradients,
    ]),
    `picked ${stats('n')} dNormed dPicked`,
    'dPicked',
  ];
  return [
    { rows, steps: evaluated },
    { rows, steps: nothingKept('', (name) => (lora ? `${name}.u` : '')) },
    ...(lowest > 0 ? [{ rows, steps: nothingKept('lse', () => '') }] : []),
    { rows, steps: backward },
    // The lowest layer: an adapter of q, k and v that passes nothing on.
    ...(lora ? [{ rows, steps: [...backward.slice(0, -2), `d.qkv ${du('qkv')}`] }] : []),
    { rows, steps: head },
    { rows, steps: [...top, ...starts.flatMap(() => logits)] },
    { rows: 1, steps: [...top, ...logits] },
  ];
}

/**
 * The rule of the scratch pool: the largest value goes first, into the first buffer that is free over the value's life; units share the
 * buffers.
 */
function poolOf(units: readonly { readonly steps: readonly string[]; bytes(name: string): number }[]): number[] {
  const pool: number[] = [];
  for (const { steps, bytes } of units) {
    const lives = new Map<string, { first: number; last: number }>();
    steps.forEach((step, at) => {
      for (const name of step.split(' ').filter(Boolean)) lives.set(name, { first: lives.get(name)?.first ?? at, last: at });
    });
    const taken: { first: number; last: number }[][] = [];
    for (const [name, life] of [...lives].sort(([a, x], [b, y]) => bytes(b) - bytes(a) || x.first - y.first)) {
      let at = taken.findIndex((others) => others.every(({ first, last }) => last < life.first || life.last < first));
      if (at < 0) at = taken.push([]) - 1;
      taken[at].push(life);
      pool[at] = Math.max(pool[at] ?? 0, bytes(name));
    }
  }
  return pool;
}
