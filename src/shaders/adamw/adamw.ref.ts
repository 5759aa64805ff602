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
