// What a setting is good for and what it costs, for those who ask. The short hints are in labels.ts.

import type { ExplainedKey } from './has-why';

export const WHYS: Readonly<Record<ExplainedKey, string>> = {
  lisaLayers:
    'A layer in training needs its gradient and Adam’s m and v: 12 bytes a parameter. More layers at a time learn more per step and need more memory; the frozen ones need only their weights.',
  stepsPerPeriod:
    'A layer that joins starts with empty m and v. A long period lets them settle; a short one reaches more layers in the same steps.',
  alwaysOn:
    'Embedding and head are matrices of the whole vocabulary. In small models they outweigh the layers, so their gradient, m and v take most of the memory. As published, LISA trains them and the final norm at every step. Data of one kind uses a part of the vocabulary: training only the rows of its tokens costs a fraction of the memory, and the other rows stay exactly as they were. Drawn like layers, they train in some periods only, which saves time and no memory. On the built-in task, the held-out loss after 100 steps was 3.647 as published, 3.653 by rows and 3.677 drawn, where seeds differ by 0.005.',
  lisaSampler:
    'Uniform draws γ layers at random, as published. Cycle draws every layer once before any comes twice. Bernoulli tosses a coin for each layer and draws γ on average. Weighted draws exactly γ by the layer weights. Algorithm 1 is that of the paper’s first version: like Bernoulli, but a period without any layer counts.',
  lisaState: 'As published, m and v are dropped when their layer leaves. Parked ones wait in main memory and come back with the layer.',
  lisaRewarm:
    'A layer that joins has empty m and v, and Adam’s first updates are as large as the learning rate allows. As published, it joins at the full rate; a few updates of warm-up make the start gentler. Layers whose parked state comes back need none.',
  optimizerState:
    'AdamW keeps two averages, m and v, for every parameter that trains. In 8 bits each block of 256 shares a scale, and the averages are rounded after every step.',
  recompute:
    'Every layer keeps values for its gradients until the backward pass reaches it, and they grow with the batch and the length. Recomputing them takes extra time and changes no bit of the result.',
  weightStorage:
    'A layer in training has a float32 copy, and weights that train at every step are float32 in any case. As stored: a layer that leaves is rounded back to 16 bits, which loses changes smaller than half a step of that format. In 8 or 4 bits nothing is lost: the full precision of trained layers goes to a file on disk, and the export has it; only the layers that do not train right now are coarser.',
  lisaWeights: 'Used by the weighted sampler, Bernoulli and Algorithm 1: a layer with twice the weight is drawn about twice as often.',
  lisaAdapt:
    'Every drawn layer is measured while it trains, and the next period is drawn by the means so far: layers with larger gradients, or that move further, come more often. Layers that were not drawn yet count as the mean of the others.',
  lisaCorrectRate:
    'A layer that is drawn half as often gets twice the learning rate, at most ten times. Without it, as published, rarely drawn layers simply learn less.',
  loraRank: 'A higher rank can express a larger change and costs more memory and time.',
  loraAlpha: 'By default α = 2r: the adapters act at twice their own size, whatever the rank.',
  steps: 'Each step reads batch × accumulation rows and updates the weights once.',
  lr: 'How far a step moves the weights. If it is too high, the loss jumps or overflows; if it is too low, little changes. Until you set it, it is the value that did best for the built-in model with this method.',
  seqLen:
    'Longer rows hold more context. Activations grow with batch × length, attention’s work with the square of the length. Longer rows are cut.',
  batchSize: 'More rows at a time give a steadier gradient and use the GPU better, but need more memory for activations.',
  gradAccum: 'Adds up the gradients of several batches before an update: the step of a large batch in the memory of a small one.',
  lrSchedule: 'A falling rate lets the weights settle at the end.',
  warmup:
    'Adam’s estimates are poor at first; small steps are safer until they improve. Until you set it, it is a tenth of the steps, at most 10.',
  weightDecay: 'Pulls matrices and embeddings toward zero at every step; norms and biases are left alone.',
  gradClip: 'Limits how far a rare batch with a huge gradient can move the weights.',
  gradClipMode:
    'With one norm of all, every gradient must wait for the last. Clipped by its own norm, a layer is updated as soon as its gradient is there, and the next layer takes its place: memory for one gradient instead of γ. It needs an accumulation of 1.',
  beta1: 'How slowly m, the running mean of the gradient, forgets.',
  beta2: 'How slowly v, the running mean of the gradient’s square, forgets.',
  eps: 'Keeps the division by √v from blowing up where gradients are almost zero.',
  seed: 'The same seed, settings and device give the same run, bit for bit.',
  mask: 'With the loss on answers only, the model learns to answer, not to imitate questions.',
  packing: 'Short rows share one row without seeing each other: fewer, fuller batches.',
  shuffle: 'Without it, the last rows of the file are always learned last. The seed decides the new order of every epoch.',
  dedupe: 'If a held-out row was also trained on, its loss would show memorising as learning.',
  badRows: 'Refusing shows what is wrong with a file before you spend time on it; skipping leaves such rows out and counts them.',
  columns: 'Files name their columns as they like; training must know which column is the question and which the answer.',
  evalSplit: 'The loss on rows that were never trained on tells learning from memorising.',
  evalEvery: 'Evaluation takes time and trains nothing. If it is too rare, you notice too late that the loss got worse.',
  saveEvery: 'After a crash or a closed tab the run resumes from the last save, bit for bit.',
  sampleAt: 'The same prompts at several steps show changes that the loss does not.',
  measureUpdates: 'How far each layer has moved shows whether drawing it was worth it. The cost: each layer is read back twice per period.',
  temperature: 'At 0 the same model always writes the same text, so you can compare two samples.',
};
