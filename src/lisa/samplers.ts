// The samplers: which layers one period trains. Each is a pure function of its arguments; the stream is
// the only source of chance. L layers, γ of them on average or exactly.

import type { RandomStream } from '../base/random';

const range = (length: number): number[] => Array.from({ length }, (_, i) => i);
const ascending = (layers: readonly number[]): number[] => [...layers].sort((a, b) => a - b);
const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** Exactly gamma of the layers, every set equally likely. */
export function drawUniform(layers: number, gamma: number, stream: RandomStream): number[] {
  return ascending(stream.shuffle(range(layers)).slice(0, gamma));
}

export interface BernoulliDraw {
  readonly layers: readonly number[];
  /** Draws thrown away because they were empty. */
  readonly redrawn: number;
  /** Layers left out because the pool was full. */
  readonly dropped: number;
}

/** Each layer by itself with its probability; drawn again while empty; a random `pool` of them where more were drawn. */
export function drawBernoulli(probabilities: readonly number[], pool: number, stream: RandomStream): BernoulliDraw {
  for (let redrawn = 0; ; redrawn++) {
    const drawn = range(probabilities.length).filter((layer) => stream.nextFloat() < probabilities[layer]);
    if (drawn.length === 0) continue;
    const layers = drawn.length > pool ? ascending(stream.shuffle(drawn).slice(0, pool)) : drawn;
    return { layers, redrawn, dropped: Math.max(0, drawn.length - pool) };
  }
}

/**
 * Algorithm 1 of LISA's first version (arXiv 2403.17919v1) to the letter: each layer is frozen where U(0, 1) > p_l, and a draw may be empty.
 * A random `pool` of the others where there are more.
 */
export function drawAlgorithm1(probabilities: readonly number[], pool: number, stream: RandomStream): BernoulliDraw {
  const drawn = range(probabilities.length).filter((layer) => !(stream.nextFloat() > probabilities[layer]));
  const layers = drawn.length > pool ? ascending(stream.shuffle(drawn).slice(0, pool)) : drawn;
  return { layers, redrawn: 0, dropped: Math.max(0, drawn.length - pool) };
}

/** min(1, γ·w_l/Σw): the chance of each layer when all are drawn independently. */
export const bernoulliProbabilities = (weights: readonly number[], gamma: number): number[] =>
  weights.map((w) => Math.min(1, (gamma * w) / total(weights)));

/**
 * How likely each layer is to be in a period of drawBernoulli, or of drawAlgorithm1, where empty draws count: exact, with the redraws and the
 * pool. For each layer the number of others drawn has a Poisson-binomial distribution, built up one layer at a time.
 */
export function bernoulliInclusion(probabilities: readonly number[], pool: number, emptyCounts = false): number[] {
  const nonEmpty = emptyCounts ? 1 : 1 - probabilities.reduce((product, p) => product * (1 - p), 1);
  return probabilities.map((own, layer) => {
    let others = [1];
    probabilities.forEach((p, other) => {
      if (other !== layer) others = range(others.length + 1).map((n) => (others[n] ?? 0) * (1 - p) + (others[n - 1] ?? 0) * p);
    });
    return (own * total(others.map((chance, n) => chance * Math.min(1, pool / (n + 1))))) / nonEmpty;
  });
}

/**
 * Period `index` of the shuffled cycle: rounds of all layers, cut into periods of gamma one after the other. Where
 * gamma does not divide L, the period at a seam takes the head of the next round, which is free of what the period
 * has already. The pattern of seams repeats after gamma / gcd(L, gamma) rounds, so at most that many are built.
 */
export function drawCycle(layers: number, gamma: number, index: number, streamOfRound: (round: number) => RandomStream): number[] {
  const periods = layers / gcd(layers, gamma);
  const first = index - (index % periods);
  const firstRound = (first / layers) * gamma;
  const start = (index - first) * gamma;
  const sequence: number[] = [];
  for (let round = 0; sequence.length < start + gamma; round++) {
    const order = streamOfRound(firstRound + round).shuffle(range(layers));
    const seam = sequence.slice(sequence.length - (sequence.length % gamma));
    const head = seam.length === 0 ? [] : order.filter((layer) => !seam.includes(layer)).slice(0, gamma - seam.length);
    sequence.push(...head, ...order.filter((layer) => !head.includes(layer)));
  }
  return ascending(sequence.slice(start, start + gamma));
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/**
 * π_l = min(1, γ·w_l/Σw) with the excess of the capped layers shared among the others in proportion, so that they
 * sum to gamma. Weights are above zero.
 */
export function ppsProbabilities(weights: readonly number[], gamma: number): number[] {
  const certain = new Set<number>();
  for (;;) {
    const rest = total(weights.filter((_, layer) => !certain.has(layer)));
    const share = (gamma - certain.size) / rest;
    // 1e-12: equal weights with γ = L are certain, whatever their rounding.
    const full = range(weights.length).filter((layer) => !certain.has(layer) && weights[layer] * share >= 1 - 1e-12);
    if (full.length === 0) return weights.map((w, layer) => (certain.has(layer) ? 1 : w * share));
    for (const layer of full) certain.add(layer);
    if (certain.size === weights.length) return weights.map(() => 1);
  }
}

/**
 * Systematic sampling with probability proportional to size (Madow 1949): layers in random order are laid along a
 * line, each as long as its probability; the points u, u + 1, u + 2, … pick those they fall on. Exactly as many
 * layers as the probabilities sum to, each with exactly its probability.
 */
export function drawSystematic(probabilities: readonly number[], stream: RandomStream): number[] {
  const picked = range(probabilities.length).filter((layer) => probabilities[layer] === 1);
  const order = stream.shuffle(range(probabilities.length).filter((layer) => probabilities[layer] < 1));
  const wanted = Math.round(total(order.map((layer) => probabilities[layer])));
  let point = stream.nextFloat();
  let end = 0;
  let taken = 0;
  order.forEach((layer, at) => {
    end += probabilities[layer];
    // The second condition holds the count where rounding put the line's end just before the last point.
    if (taken < wanted && (end > point || order.length - at === wanted - taken)) {
      picked.push(layer);
      taken++;
      point++;
    }
  });
  return ascending(picked);
}
