// LISA: how many layers train at a time, for how long, how they are drawn, and what happens when they leave.

import { bad, good, refused, row, type OwnKind } from '../field';
import { isWeight, MAX_LAYERS, profileUse } from '../importance';
import { choice, isObject, last, onlyKeys, optional, readNumber, toggle, whole } from '../kinds';

const ALWAYS_ON = ['embedding', 'head', 'norm'] as const;
type AlwaysOn = Readonly<Record<(typeof ALWAYS_ON)[number], boolean>>;

const namesOf = (written: string): string[] => (written === 'none' ? [] : written.split(','));
const isKnown = (name: string): boolean => ALWAYS_ON.some((known) => known === name);
const switchesOf = (names: readonly string[]): AlwaysOn => ({
  embedding: names.includes('embedding'),
  head: names.includes('head'),
  norm: names.includes('norm'),
});
const listOf = (value: AlwaysOn): string => ALWAYS_ON.filter((name) => value[name]).join(',') || 'none';

/** embedding,norm: those that are on; none: all off. */
const alwaysOn: OwnKind<AlwaysOn> = {
  type: 'own',
  placeholder: ALWAYS_ON.join(','),
  check: (value) =>
    isObject(value) && onlyKeys(value, ALWAYS_ON) && ALWAYS_ON.every((name) => typeof value[name] === 'boolean')
      ? good(switchesOf(ALWAYS_ON.filter((name) => value[name])))
      : bad('embedding, head and norm, each true or false'),
  parse: (texts) => {
    const names = namesOf(last(texts) || 'none').map((name) => name.trim());
    const unknown = names.find((name) => !isKnown(name));
    return unknown === undefined
      ? good(switchesOf(names))
      : refused(`'${unknown}' is not known.`, "Enter a list of embedding, head and norm, or 'none'.");
  },
  toFlag: (value) => [listOf(value)],
  toLink: listOf,
  fromLink: (written) => (namesOf(written).every(isKnown) ? switchesOf(namesOf(written)) : undefined),
};

type LayerWeights = readonly number[];

/** 1,0.5,2: one weight per layer, the lowest layer first. */
const layerWeights: OwnKind<LayerWeights> = {
  type: 'own',
  placeholder: 'w0,w1,…',
  check: (value) => {
    const list: readonly unknown[] = Array.isArray(value) ? value : [];
    return list.length > 0 && list.length <= MAX_LAYERS && list.every(isWeight)
      ? good(list.map((weight) => (weight === 0 ? 0 : weight)))
      : bad(`a list of 1 to ${MAX_LAYERS} numbers from 0`);
  },
  fault: (weights) =>
    weights.every(isWeight)
      ? null
      : { problem: 'A layer weight is negative or not a number.', remedy: 'Enter one number from 0 for each layer.' },
  parse: (texts) => {
    const weights = last(texts)
      .split(',')
      .map((part) => (part.trim() === '' ? NaN : Number(part)));
    return weights.every(isWeight)
      ? good(weights)
      : refused(`'${last(texts)}' is not a list of numbers from 0.`, 'Enter one number for each layer, separated by commas.');
  },
  toFlag: (weights) => [weights.join(',')],
  toLink: (weights) => weights.join(','),
  fromLink: (written) => written.split(',').map(readNumber),
};

export const LISA = {
  /** γ: middle layers trained in a period. */
  lisaLayers: row(
    whole(1, MAX_LAYERS, {
      name: 'the number of layers',
      max: ({ layers }) => layers,
      problem: (value, { layers }) => `γ = ${value} is more than the model's ${layers} layers.`,
    }),
    { default: 2, flag: 'lisa-layers', help: 'γ: middle layers trained at a time', simple: true, methods: ['lisa'], listed: true },
  ),
  /** K: optimizer steps of a period. */
  stepsPerPeriod: row(whole(1, 10_000_000), {
    formerly: 'lisaPeriod',
    default: 5,
    flag: 'lisa-period',
    help: 'K: steps until new layers are drawn',
    simple: true,
    methods: ['lisa'],
    listed: true,
  }),
  lisaSampler: row(choice('uniform', 'cycle', 'bernoulli', 'weighted', 'algorithm1'), {
    default: 'uniform',
    flag: 'lisa-sampler',
    help: 'how layers are drawn',
    methods: ['lisa'],
  }),
  /** p_l, one per layer, for `weighted`, `bernoulli` and `algorithm1`; null: all equal. */
  lisaWeights: row(optional(layerWeights), {
    default: null,
    flag: 'lisa-weights',
    help: 'one weight per layer, for the samplers weighted, bernoulli and algorithm1',
    methods: ['lisa'],
  }),
  /** p_l as they were measured, in place of lisaWeights. */
  lisaProfile: row(optional(profileUse), {
    default: null,
    flag: 'lisa-profile',
    help: 'draw by the importance in this file of npm run importance; implies --lisa-sampler weighted',
    methods: ['lisa'],
  }),
  /** Measure importance while the run trains, and draw by it: mean norms of gradients, or how far layers move. */
  lisaAdapt: row(choice('off', 'gradients', 'updates'), {
    default: 'off',
    flag: 'lisa-adapt',
    help: 'draw by what the run measures of layers: gradient norms, or how far they move; implies --lisa-sampler weighted',
    methods: ['lisa'],
  }),
  /** Multiply a layer's learning rate by (γ/L) / π_l, so that rarely drawn layers take larger steps. */
  lisaCorrectRate: row(toggle, {
    default: false,
    flag: 'lisa-correct-rate',
    help: 'learning rates that make up for unequal draws: times (γ/L) / (how likely the layer is drawn), at most 10',
    methods: ['lisa'],
  }),
  /** How embedding, head and final norm train (policies.ts); null: as alwaysOn says, or as the other option where the two are one tensor. */
  lisaEmbedding: row(optional(choice('on', 'off', 'rows', 'sampled')), {
    default: null,
    flag: 'lisa-embedding',
    help: 'train the embedding at every step, never, by rows of tokens in the data, or drawn like a layer (default on)',
    methods: ['lisa'],
  }),
  lisaHead: row(optional(choice('on', 'off', 'rows', 'sampled')), {
    default: null,
    flag: 'lisa-head',
    help: 'the same for the head; where it is the embedding, one of the two options is enough (default on)',
    methods: ['lisa'],
  }),
  lisaNorm: row(optional(choice('on', 'off', 'sampled')), {
    default: null,
    flag: 'lisa-norm',
    help: 'train the final norm at every step, never, or drawn like a layer (default on)',
    methods: ['lisa'],
  }),
  /** What the three options above mean where they are not given. */
  alwaysOn: row(alwaysOn, {
    formerly: 'lisaTrain',
    default: { embedding: true, head: true, norm: true },
    flag: 'lisa-train',
    help: 'short for the three options above: what is listed is on, the rest is off; none: only the drawn layers',
    methods: ['lisa'],
  }),
  /** What happens to m and v of a layer that leaves: dropped, or kept in host memory until it is drawn again. */
  lisaState: row(choice('drop', 'park'), {
    default: 'drop',
    flag: 'lisa-state',
    help: 'drop the optimizer state of a layer that leaves, or park it in main memory',
    methods: ['lisa'],
  }),
  /** Updates over which the learning rate of a layer that joins with a fresh optimizer state rises; 0: at once, as published. */
  lisaRewarm: row(whole(0, 10_000_000), {
    default: 0,
    flag: 'lisa-rewarm',
    help: 'updates over which the learning rate of a joining layer rises; 0: at once',
    methods: ['lisa'],
  }),
  /** Measure ‖ΔW‖ / ‖W‖ of every layer when it leaves; reads the layer back at both ends of its period. */
  measureUpdates: row(toggle, {
    default: true,
    flag: 'measure-updates',
    help: 'measure how far each layer has moved when it leaves, for report.json',
    methods: ['lisa'],
  }),
};
