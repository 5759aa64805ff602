// AdamW with 8-bit state: one step from a known state against float64, many steps against AdamW with exact state, and what
// must never happen: a step far above the rate where v is small, a bit changed where the step is bad.

import { describe, expect, it } from 'vitest';
import { scratch } from '../../gpu/lab';
import { randomArray, relativeError, relativeErrorL2, seededRandom } from '../../testing/compare';
import { nodeLab } from '../../testing/node-lab';
import { Inputs } from '../../testing/rowwise';
import { STATS, STATS_ELEMENTS } from '../loss/stats';
import { adamw, adamwScalars, stateBytes } from './adamw';
import { adamwRef, companded, type AdamwState } from './adamw.ref';

type Floats = Float32Array<ArrayBuffer>;
type Words = Uint32Array<ArrayBuffer>;
interface State {
  readonly w: Floats;
  readonly m: Words;
  readonly v: Words;
}

const SETTINGS = { lr: 3e-3, weightDecay: 0.1, beta1: 0.9, beta2: 0.999, eps: 1e-8 };

const fresh = (w: Floats): State => {
  const words = stateBytes(w.length, 'int8') / 4;
  return { w, m: new Uint32Array(words), v: new Uint32Array(words) };
};

async function step(state: State, g: Floats, at: number, { bad = false, decayElements = 0, settings = SETTINGS } = {}): Promise<State> {
  const lab = await nodeLab();
  const inputs = new Inputs();
  const [w, m, v] = [inputs.f32('w', state.w), inputs.u32('m', state.m), inputs.u32('v', state.v)];
  const stats = new Float32Array(STATS_ELEMENTS);
  stats[STATS.clip] = bad ? 0 : 0.5;
  stats[STATS.bad] = bad ? 1 : 0;
  const { lr, weightDecay, beta1, beta2, eps } = settings;
  const scalars = inputs.f32('scalars', adamwScalars(lr, weightDecay, beta1, beta2, at));
  const views = { w, m, v, g: inputs.f32('g', g), scalars, stats: inputs.f32('stats', stats) };
  const [gotW, gotM, gotV] = await lab.run(
    [adamw({ label: 'test', ...views, slot: 0, elements: g.length, decayElements, beta1, beta2, eps, state: 'int8' })],
    inputs.data,
    [w, m, v],
  );
  const words = (values: Floats): Words => new Uint32Array(values.buffer).slice(0, state.m.length);
  return { w: gotW.slice(0, g.length), m: words(gotM), v: words(gotV) };
}

/** m and v out of their words. */
function decoded({ m, v }: State, elements: number): { m: number[]; v: number[] } {
  const floats = (words: Words): Float32Array => new Float32Array(words.buffer);
  const out: { m: number[]; v: number[] } = { m: [], v: [] };
  for (let i = 0; i < elements; i++) {
    const block = Math.floor(i / 256) * 65;
    const word = block + 1 + Math.floor((i % 256) / 4);
    const shift = 8 * (i % 4);
    const first = ((m[word] << (24 - shift)) >> 24) / 127;
    const second = ((v[word] >>> shift) & 255) / 255;
    const expand = (t: number): number => (Math.exp(8 * t) - 1) / (Math.exp(8) - 1);
    out.m.push(Math.sign(first) * expand(Math.abs(first)) * floats(m)[block]);
    out.v.push((expand(second) * floats(v)[block]) ** 2);
  }
  return out;
}

/** Gradients of many sizes: a factor by element, noise by step. */
const gradient = (elements: number, at: number): Floats =>
  randomArray(elements, 100 + at).map((value, i) => (i % 11 === 10 ? 0 : (value + 0.3) * 3 ** -(i % 4)));

describe('AdamW with 8-bit state', () => {
  for (const { elements, decayElements } of [
    { elements: 301, decayElements: 48 },
    { elements: 256, decayElements: 256 },
    { elements: 37, decayElements: 0 },
    { elements: 5000, decayElements: 4000 },
  ]) {
    it(`takes the step of float64 from the state that its codes hold: ${elements} elements`, async () => {
      let state = fresh(randomArray(elements, 1));
      const found = { 'w − w₀': 0 };
      let neighbours = 0;
      for (let at = 1; at <= 4; at++) {
        const before = { w: [...state.w], ...decoded(state, elements) };
        const want: AdamwState = { w: [...before.w], m: [...before.m], v: [...before.v] };
        const g = gradient(elements, at);
        adamwRef(want, g, 0.5, at, { ...SETTINGS, decayElements });
        state = await step(state, g, at, { decayElements });
        const moved = (w: ArrayLike<number>) => Array.from(w, (value, i) => value - before.w[i]);
        found['w − w₀'] = Math.max(found['w − w₀'], relativeError(moved(state.w), moved(want.w)));
        const [got, kept] = [decoded(state, elements), companded(want.m, want.v)];
        for (const name of ['m', 'v'] as const) {
          got[name].forEach((value, i) => {
            const off = Math.abs(value - kept[name][i]);
            expect(off, `${name}[${i}]`).toBeLessThanOrEqual(1.01 * kept.steps[name][i]);
            if (off > 1e-4 * Math.abs(value)) neighbours++;
          });
        }
      }
      console.info('adamw_int8', { elements, decayElements }, found, { neighbours });
      // Roundings of the update as in adamw.gpu.test.ts. A value at the middle of two codes may take either.
      expect(found['w − w₀']).toBeLessThan(3e-5);
      expect(neighbours).toBeLessThanOrEqual(elements / 100);
    });
  }

  it('stays near AdamW with exact state over thirty steps', async () => {
    const elements = 1024;
    const start = randomArray(elements, 1);
    let state = fresh(start);
    const want: AdamwState = { w: [...start], m: new Array<number>(elements).fill(0), v: new Array<number>(elements).fill(0) };
    for (let at = 1; at <= 30; at++) {
      const g = gradient(elements, at);
      state = await step(state, g, at);
      adamwRef(want, g, 0.5, at, { ...SETTINGS, weightDecay: 0, decayElements: 0 });
    }
    const moved = (w: ArrayLike<number>) => Array.from(w, (value, i) => value - start[i]);
    const error = relativeErrorL2(moved(state.w), moved(want.w));
    console.info(`after 30 steps the weights moved within ${(100 * error).toFixed(2)} % of where exact state takes them`);
    expect(error).toBeLessThan(0.05);
  });

  it('takes no step far above the rate where gradients fall to nothing', async () => {
    const random = seededRandom(9);
    // One element of the block keeps the scale high; the others' v would round to zero.
    const sizes = Float32Array.from({ length: 256 }, (_, i) => (i === 0 ? 1 : 10 ** -(i / 20)));
    let state = fresh(new Float32Array(256));
    let largest = 0;
    for (let at = 1; at <= 12; at++) {
      const before = state.w;
      state = await step(
        state,
        sizes.map((size) => (size * (random() < 0.5 ? -1 : 1)) / (at > 6 ? 100 : 1)),
        at,
      );
      largest = state.w.reduce((most, value, i) => (Number.isNaN(value) ? NaN : Math.max(most, Math.abs(value - before[i]))), largest);
    }
    console.info(`largest step: ${(largest / SETTINGS.lr).toFixed(3)} of the rate`);
    // Where both moments are near nothing, m may be rounded up to its first code, 8 / 127 / 2980 of M, and √v is at its own,
    // 8 / 255 / 2980 of S: the step is at most 2.01 times the one of the block's largest element.
    expect(largest).toBeLessThan(2.1 * SETTINGS.lr);
  });

  it('changes no bit where the bad flag is set, and leaves a state of zeros at zero', async () => {
    const state = await step(fresh(randomArray(301, 1)), gradient(301, 1), 1);
    expect(await step(state, new Float32Array(301).fill(NaN), 2, { bad: true })).toEqual(state);
    const still = await step(fresh(randomArray(301, 1)), new Float32Array(301), 1);
    expect([...still.m, ...still.v].every((word) => word === 0)).toBe(true);
  });

  it('takes 1 byte and a 64th for an element, and refuses less', () => {
    expect([stateBytes(256, 'int8'), stateBytes(257, 'int8'), stateBytes(2 ** 20, 'int8') / 2 ** 20]).toEqual([272, 528, 1.015625]);
    const views = { w: scratch('w', 256), g: scratch('g', 256), scalars: scratch('s', 4), stats: scratch('stats', 8) };
    const rest = { label: 'test', slot: 0, elements: 256, decayElements: 0, beta1: 0.9, beta2: 0.999, eps: 1e-8, state: 'int8' as const };
    expect(() => adamw({ ...rest, ...views, m: scratch('m', 64), v: scratch('v', 68) })).toThrow(/adamw_int8, m/);
    const large = scratch('large', 65536 * 256);
    const many = adamw({ ...rest, ...views, w: large, g: large, m: large, v: large, elements: 65536 * 256 });
    expect(many.grid).toEqual([65535, 2, 1]);
    // Reads w, m, v and g, and writes w, m and v.
    const one = adamw({ ...rest, ...views, m: scratch('m', 68), v: scratch('v', 68) });
    expect(one.work.bytes).toEqual({ one: 3 * 256 * 4 + 4 * 272 });
  });
});
