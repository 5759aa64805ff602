// How fast a device runs what steps spend their time on: each tile of matrix products, each family of attention, and a copy.

import { amount, type Extents } from '../dispatch/extents';
import type { Dispatch } from '../dispatch/types';
import type { Gpu } from '../gpu/device';
import { Lab, scratch } from '../gpu/lab';
import {
  attentionBwdDelta,
  attentionBwdDkv,
  attentionBwdDq,
  attentionBwdSum,
  attentionFwd,
  type AttentionFamily,
} from '../shaders/attention/attention';
import { matmul, type MatmulFamily } from '../shaders/matmul/matmul';
import { TILES, type MatmulTile } from '../shaders/matmul/tile';
import { pack } from '../shaders/storage/storage';
import type { KernelGroup } from './trial';

export interface Timing {
  readonly name: string;
  readonly group: KernelGroup;
  /** Of the fastest round. */
  readonly ms: number;
  /** FLOPs a second, or bytes a second for the copy. */
  readonly perSecond: number;
  readonly unit: 'FLOP' | 'byte';
}

interface Timed {
  readonly name: string;
  readonly group: KernelGroup;
  readonly unit: Timing['unit'];
  readonly extents: Partial<Extents>;
  readonly dispatches: readonly Dispatch[];
}

/** Sizes of one projection and one attention of SmolLM2-135M at 512 tokens; small ones for a CPU that stands in for a card. */
const SIZES = {
  card: { rows: 512, width: 576, ff: 1536, heads: 9, kvHeads: 3, headDim: 64, copied: 2 ** 24 },
  software: { rows: 128, width: 128, ff: 352, heads: 4, kvHeads: 2, headDim: 32, copied: 2 ** 20 },
} as const;
type Sizes = (typeof SIZES)[keyof typeof SIZES];

/** Forward, gradient of the input and gradient of the weights of one projection. */
function products({ rows, width, ff }: Sizes, family: MatmulFamily, tile?: MatmulTile): Timed {
  const [x, up, w] = [scratch('x', rows * width), scratch('up', rows * ff), scratch('w', ff * width)];
  const [back, dw] = [scratch('back', rows * width), scratch('dw', ff * width)];
  const common = { family, ...(tile && { tile }) };
  return {
    name: `products${tile ? ` ${tile}` : ''}`,
    group: `matmul ${family}`,
    unit: 'FLOP',
    extents: { rows, targets: rows },
    dispatches: [
      matmul({ label: 'nt', layout: 'nt', y: up, a: x, b: w, m: rows, n: ff, k: width, ...common }),
      matmul({ label: 'nn', layout: 'nn', y: back, a: up, b: w, m: rows, n: width, k: ff, ...common }),
      matmul({ label: 'tn', layout: 'tn', y: dw, a: up, b: x, m: ff, n: width, k: rows, ...common }),
    ],
  };
}

function attention({ rows, heads, kvHeads, headDim }: Sizes, family: AttentionFamily): Timed {
  const width = (heads + 2 * kvHeads) * headDim;
  const views = {
    qkv: scratch('qkv', rows * width),
    dout: scratch('dout', rows * heads * headDim),
    segStart: scratch('segStart', rows),
    segEnd: scratch('segEnd', rows),
    o: scratch('o', rows * heads * headDim),
    lse: scratch('lse', rows * heads),
    delta: scratch('delta', rows * heads),
    dqkv: scratch('dqkv', rows * width),
  };
  const byHead = family === 'tiles' && kvHeads < heads ? scratch('byHead', 2 * rows * heads * headDim) : undefined;
  const of = { label: 'attention', rows, heads, kvHeads, headDim, scale: headDim ** -0.5, family };
  return {
    name: 'attention, forward and backward',
    group: `attention ${family}`,
    unit: 'FLOP',
    extents: { rows, pairs: (rows * (rows + 1)) / 2 },
    dispatches: [
      attentionFwd({ ...of, ...views }),
      ...(family === 'software'
        ? [attentionBwdDelta({ label: 'delta', delta: views.delta, dout: views.dout, o: views.o, rows, heads, headDim })]
        : []),
      attentionBwdDq({ ...of, ...views }),
      attentionBwdDkv({ ...of, ...views, byHead }),
      ...(byHead ? [attentionBwdSum({ ...of, dqkv: views.dqkv, byHead })] : []),
    ],
  };
}

function copying({ copied }: Sizes): Timed {
  const [y, x] = [scratch('y', copied), scratch('x', copied)];
  return { name: 'copy', group: 'all', unit: 'byte', extents: {}, dispatches: [pack({ label: 'copy', y, x, elements: copied })] };
}

/** What `groups` are timed on. A software adapter gets no tiles: it compiles them for minutes, and no run of it uses them. */
function timed({ description: { software } }: Gpu, wrong: ReadonlySet<KernelGroup>): Timed[] {
  const sizes = software ? SIZES.software : SIZES.card;
  const all = [
    copying(sizes),
    products(sizes, 'register'),
    ...(Object.keys(TILES) as MatmulTile[]).map((tile) => products(sizes, 'tiles', tile)),
    attention(sizes, software ? 'software' : 'tiles'),
  ];
  return all.filter(({ group }) => !wrong.has(group) && !(software && group === 'matmul tiles'));
}

const ROUNDS = 4;
const TARGET_MS = 15;
const MOST_REPEATS = 64;

/** Times each; the first round of each warms up and decides how often the others repeat. `wrong`: groups that are left out. */
export async function timeKernels(
  gpu: Gpu,
  wrong: ReadonlySet<KernelGroup>,
  told: (done: number, of: number) => void = () => undefined,
): Promise<Timing[]> {
  const lab = new Lab(gpu);
  const list = timed(gpu, wrong);
  const found: Timing[] = [];
  for (const { name, group, unit, extents, dispatches } of list) {
    const full = { rows: 0, targets: 0, tokenGroups: 0, positionGroups: 0, pairs: 0, ...extents };
    const work = dispatches.reduce((sum, { work: of }) => sum + amount(unit === 'FLOP' ? of.flops : of.bytes, full), 0);
    let [best, repeat] = [Infinity, 1];
    for (let round = 0; round <= ROUNDS; round++) {
      const ms = (await lab.time(dispatches, extents, repeat)) / repeat;
      if (round === 0) repeat = Math.min(MOST_REPEATS, Math.max(1, Math.ceil(TARGET_MS / ms)));
      else best = Math.min(best, ms);
    }
    found.push({ name, group, unit, ms: best, perSecond: work / (best / 1000) });
    told(found.length, list.length);
  }
  return found;
}
