import { describe, expect, it } from 'vitest';
import { scratch } from '../../gpu/lab';
import { nodeLab } from '../../testing/node-lab';
import { FIELDS } from '../../config/fields';
import { configFaults, DEFAULTS } from '../../config/run-config';
import { parameterTable } from '../../model/parameters';
import { layoutBlock, rowsByBlock } from '../../plan/layout';
import { SHAPES } from '../../testing/shapes';
import { adamw, adamwScalars } from './adamw';
import { adamwRef, type AdamwState } from './adamw.ref';
import { randomArray, relativeError } from '../../testing/compare';
import { Inputs } from '../../testing/rowwise';
import { STATS, STATS_ELEMENTS } from '../loss/stats';

const SETTINGS = { lr: 3e-3, weightDecay: 0.1, beta1: 0.9, beta2: 0.999, eps: 1e-8 };
const SLOT = 2;

const stats = (clip: number, bad: boolean): Float32Array => {
  const values = new Float32Array(STATS_ELEMENTS);
  values[STATS.clip] = clip;
  values[STATS.bad] = bad ? 1 : 0;
  return values;
};

interface Buffers {
  w: Float32Array;
  m: Float32Array;
  v: Float32Array;
}

async function step(
  state: Buffers,
  g: Float32Array,
  at: number,
  clip: number,
  bad: boolean,
  decayElements: number,
  eps = SETTINGS.eps,
): Promise<Buffers> {
  const lab = await nodeLab();
  const inputs = new Inputs();
  const elements = g.length;
  const [w, m, v] = [inputs.f32('w', state.w), inputs.f32('m', state.m), inputs.f32('v', state.v)];
  const { lr, weightDecay, beta1, beta2 } = SETTINGS;
  const scalars = new Float32Array(4 * (SLOT + 1)).fill(NaN);
  scalars.set(adamwScalars(lr, weightDecay, beta1, beta2, at), 4 * SLOT);
  const views = { w, m, v, g: inputs.f32('g', g), scalars: inputs.f32('scalars', scalars), stats: inputs.f32('stats', stats(clip, bad)) };
  const [gotW, gotM, gotV] = await lab.run(
    [adamw({ label: 'test', ...views, slot: SLOT, elements, decayElements, beta1, beta2, eps })],
    inputs.data,
    [w, m, v],
  );
  return { w: gotW.slice(0, elements), m: gotM.slice(0, elements), v: gotV.slice(0, elements) };
}

describe('AdamW', () => {
  // The built-in model's layer, padding between its tensors left out.
  const layer = rowsByBlock(parameterTable(SHAPES['wordsmith-2m'])).get('layer.0')!;
  const { bytes, decayElements: decaying, parameters } = layoutBlock(layer);
  it('has a real layer to follow', () => {
    expect([parameters, bytes / 4, decaying]).toEqual([184_576, 184_576, 184_320]);
  });
  for (const { elements, decayElements } of [
    { elements: 301, decayElements: 48 },
    { elements: 4800, decayElements: 4800 },
    { elements: 301, decayElements: 301 },
    { elements: 37, decayElements: 0 },
    { elements: bytes / 4, decayElements: decaying },
  ]) {
    it(`follows float64 over three steps: ${elements} elements, ${decayElements} of them decay`, async () => {
      const start = randomArray(elements, 1);
      let state: Buffers = { w: start, m: new Float32Array(elements), v: new Float32Array(elements) };
      const want: AdamwState = { w: [...start], m: new Array<number>(elements).fill(0), v: new Array<number>(elements).fill(0) };
      for (let at = 1; at <= 3; at++) {
        // From large to far below eps, and exactly zero.
        const g = randomArray(elements, at + 1).map((value, i) => (i % 11 === 10 ? 0 : value * 10 ** -(i % 11)));
        const clip = at === 2 ? 0.25 : 1;
        state = await step(state, g, at, clip, false, decayElements);
        adamwRef(want, g, clip, at, { ...SETTINGS, decayElements });
      }
      const moved = (values: ArrayLike<number>) => Array.from(values, (value, i) => value - start[i]);
      const found = {
        w: relativeError(state.w, want.w),
        'w − w₀': relativeError(moved(state.w), moved(want.w)),
        m: relativeError(state.m, want.m),
        v: relativeError(state.v, want.v),
      };
      console.info('adamw', { elements, decayElements }, found);
      expect(found.w).toBeLessThan(3e-7);
      // The update is lr · 3 ≈ 9e-3 on weights up to 1. In each step their decay, the factor of it and the update are
      // rounded by up to 3e-8: nine roundings, which the worst of many elements comes near.
      expect(found['w − w₀']).toBeLessThan(3e-5);
      expect(found.m).toBeLessThan(5e-7);
      expect(found.v).toBeLessThan(5e-7);
    });
  }

  it('decays exactly the elements below the boundary', async () => {
    const ones = new Float32Array(16).fill(1);
    const zeros = new Float32Array(16);
    const { w } = await step({ w: ones, m: zeros, v: zeros }, zeros, 1, 1, false, 8);
    const decayed = Math.fround(1 - Math.fround(SETTINGS.lr * SETTINGS.weightDecay));
    expect([...w]).toEqual([...new Array<number>(8).fill(decayed), ...new Array<number>(8).fill(1)]);
  });

  it('takes no step far above the rate at the smallest eps that a run may have, where v underflows and where gradients are zero', async () => {
    expect(configFaults({ ...DEFAULTS, eps: 1e-46 }).map(({ key }) => key)).toEqual(['eps']);
    // Exactly zero, as of a token that no batch has; then from 1e-40 up to 1, over the gradients whose square is below f32.
    const g = Float32Array.from({ length: 84 }, (_, i) => (i < 3 ? 0 : 10 ** ((i - 83) / 2)));
    const zeros = new Float32Array(g.length);
    const { w } = await step({ w: zeros, m: zeros, v: zeros }, g, 1, 1, false, 0, FIELDS.eps.min);
    const largest = w.reduce((most, value) => (Number.isNaN(value) ? NaN : Math.max(most, Math.abs(value))), 0);
    console.info(`largest first step: ${(largest / SETTINGS.lr).toFixed(3)} of the rate`);
    expect(largest).toBeLessThan(1.01 * SETTINGS.lr);
  });

  it('changes no bit where the bad flag is set', async () => {
    const before = { w: randomArray(301, 1), m: randomArray(301, 2), v: randomArray(301, 3) };
    expect(await step(before, new Float32Array(301).fill(NaN), 1, 0, true, 300)).toEqual(before);
  });

  it('folds its grid where a tensor needs more than 65,535 workgroups', () => {
    const large = scratch('large', 65535 * 1024 + 4);
    const views = { w: large, m: large, v: large, g: large, scalars: scratch('s', 4), stats: scratch('stats', 8) };
    const rest = { label: 'test', slot: 0, beta1: 0.9, beta2: 0.999, eps: 1e-8, decayElements: 0 };
    expect(adamw({ ...rest, ...views, elements: 65535 * 1024 }).grid).toEqual([65535, 1, 1]);
    expect(adamw({ ...rest, ...views, elements: 65535 * 1024 + 1 }).grid).toEqual([65535, 2, 1]);
  });

  it('refuses a decay boundary inside a vec4, one past the end, and a view that is too small', () => {
    const views = (n: number) => ({
      w: scratch('w', n),
      m: scratch('m', n),
      v: scratch('v', n),
      g: scratch('g', n),
      scalars: scratch('s', 4),
      stats: scratch('stats', 8),
    });
    const rest = { label: 'test', slot: 0, elements: 16, beta1: 0.9, beta2: 0.999, eps: 1e-8 };
    expect(() => adamw({ ...rest, ...views(16), decayElements: 6 })).toThrow(/decayElements/);
    expect(() => adamw({ ...rest, ...views(16), decayElements: 20 })).toThrow(/decayElements/);
    expect(() => adamw({ ...rest, ...views(12), decayElements: 8 })).toThrow(/adamw, w/);
    expect(() => adamw({ ...rest, ...views(16), slot: 1, decayElements: 8 })).toThrow(/adamw, scalars/);
  });
});
