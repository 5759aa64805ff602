// Why a setting is there and what it trades: the second sentence, for those who ask. Hints are in labels.ts.

import type { ConfigKey } from '../config/run-config';

export const WHYS: Readonly<Partial<Record<ConfigKey, string>>> = {
  lisaLayers:
    'A layer in training costs its gradient and Adam’s m and v: 12 bytes a parameter. More layers at a time learn more in a step and need more memory; the others cost nothing but their weights.',
  lisaPeriod:
    'A layer that joins starts with empty m and v. A long period lets them settle; a short one reaches more layers in the same steps.',
  lisaTrain:
    'Embedding and head are matrices of the whole vocabulary. In small models they outweigh the layers, so their gradient, m and v are most of the memory. As published, LISA trains them and the final norm at every step.',
  lisaSampler:
    'Uniform: γ layers at random, as published. Cycle: every layer once before any comes twice. Bernoulli: each layer by its own toss, γ on average. Weighted: by the layer weights.',
  lisaState: 'As published, m and v of a layer that leaves are dropped. Parked ones wait in main memory and come back with the layer.',
  lisaRewarm:
    'A layer that joins has an empty m and v, and Adam’s first updates are as large as the learning rate allows. As published it joins at the full rate; a few updates of warm-up soften the joining. Layers whose parked state comes back need none.',
  weights:
    'A layer in training has a float32 copy; when it leaves, it is rounded back to 16 bits, and what is smaller than half a step of them is lost. What that costs is measured at the end. What trains all the time is float32 anyway.',
  lisaWeights: 'For the weighted and the Bernoulli sampler: a layer with twice the weight is drawn about twice as often.',
  loraRank: 'A higher rank can express a larger change and costs more memory and time.',
  loraAlpha: 'With α = 2r, as here by default, the adapters act at twice their own size whatever the rank.',
  steps: 'Each step reads batch × accumulation rows and updates the weights once.',
  lr: 'How far a step moves the weights. Too high, and the loss jumps or leaves the range of numbers; too low, and little changes. Until you set it, it follows the method: the value that did best for the built-in model.',
  seqLen: 'Longer rows hold more context. Activations grow with batch × length, attention’s work with its square. Rows beyond it are cut.',
  batchSize: 'More rows at once make a steadier gradient and use the GPU better; activations grow with them.',
  gradAccum: 'Adds up the gradients of several batches before an update: the step of a larger batch in the memory of a small one.',
  lrSchedule: 'A falling rate lets the weights settle at the end.',
  warmup: 'Adam’s estimates are poor in the first steps; small steps are safer until they are better.',
  weightDecay: 'Pulls matrices and embeddings towards zero at every step; norms and biases are left alone.',
  gradClip: 'A rare batch with a huge gradient moves the weights no further than this norm allows.',
  beta1: 'How slowly the mean of the gradient, m, forgets.',
  beta2: 'How slowly the mean of its square, v, forgets.',
  eps: 'Keeps the division by √v from blowing up where gradients vanish.',
  seed: 'The same seed, settings and device give the same run, bit for bit.',
  mask: 'With the loss on answers only, the model learns to answer and not to imitate questions.',
  packing: 'Short rows share a length without seeing each other: fewer, fuller batches.',
  shuffle: 'Rows in the order of the file teach the last ones last. A new order every epoch, from the seed.',
  dedupe: 'A held-out row that was also trained on would say that the model has learned what it has only memorised.',
  badRows: 'Refusing shows what is wrong with a file before time is spent on it; skipping leaves such rows out and counts them.',
  columns: 'Files name their columns as they like; training has to know which one is the question and which the answer.',
  evalSplit: 'The loss on rows that were never trained on tells learning from memorising.',
  evalEvery: 'Evaluation takes time and trains nothing; too rare, and you see too late that it got worse.',
  saveEvery: 'After a crash or a closed tab the run goes on from the last save, bit for bit.',
  sampleAt: 'The same prompts at several steps show what changes, beyond the loss.',
  measureUpdates: 'How far each layer has moved is what tells whether the draw was worth it. It costs reading a layer back twice a period.',
  temperature: 'At 0 the same model always writes the same text, so that two samples can be compared.',
};
