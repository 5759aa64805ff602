// AdamW in float64, one scalar at a time and in PyTorch's order: the reference of the kernel's test.

export interface AdamwState {
  w: number[];
  m: number[];
  v: number[];
}

export interface AdamwSettings {
  lr: number;
  weightDecay: number;
  beta1: number;
  beta2: number;
  eps: number;
  decayElements: number;
}

/** Updates state in place. step counts from 1. */
export function adamwRef(state: AdamwState, g: ArrayLike<number>, clip: number, step: number, settings: AdamwSettings): void {
  const { lr, weightDecay, beta1, beta2, eps, decayElements } = settings;
  for (let i = 0; i < state.w.length; i++) {
    const grad = g[i] * clip;
    if (i < decayElements) state.w[i] -= lr * weightDecay * state.w[i];
    state.m[i] = beta1 * state.m[i] + (1 - beta1) * grad;
    state.v[i] = beta2 * state.v[i] + (1 - beta2) * grad * grad;
    const mHat = state.m[i] / (1 - beta1 ** step);
    const vHat = state.v[i] / (1 - beta2 ** step);
    state.w[i] -= (lr * mHat) / (Math.sqrt(vHat) + eps);
  }
}

const RANGE = Math.exp(8);
const expand = (t: number): number => (Math.exp(8 * t) - 1) / (RANGE - 1);
const compress = (x: number): number => Math.log(1 + x * (RANGE - 1)) / 8;

/** m and v as 8-bit codes in blocks of 256 hold them, and how far off a neighbouring code would be (adamw_int8.wgsl). */
export function companded(m: ArrayLike<number>, v: ArrayLike<number>): { m: number[]; v: number[]; steps: { m: number[]; v: number[] } } {
  const out = { m: [] as number[], v: [] as number[], steps: { m: [] as number[], v: [] as number[] } };
  for (let at = 0; at < m.length; at += 256) {
    const block = Array.from({ length: Math.min(256, m.length - at) }, (_, i) => at + i);
    const largest = Math.max(...block.map((i) => Math.abs(m[i]))) || 1;
    const root = Math.max(...block.map((i) => Math.sqrt(v[i]))) || 1;
    for (const i of block) {
      const first = Math.round(127 * compress(Math.abs(m[i]) / largest));
      const second = Math.max(v[i] > 0 ? 1 : 0, Math.round(255 * compress(Math.sqrt(v[i]) / root)));
      const size = (code: number): number => Math.sign(m[i]) * largest * expand(code / 127);
      const square = (code: number): number => (root * expand(code / 255)) ** 2;
      out.m.push(size(first));
      out.v.push(square(second));
      out.steps.m.push(Math.abs(size(first + 1) - size(first)));
      out.steps.v.push(square(second + 1) - square(second));
    }
  }
  return out;
}
