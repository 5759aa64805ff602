// What settings, their choices, phases and methods are called on the page. How a setting works is in src/config/fields.ts.

import type { ChoiceKey, ConfigKey, Method, RunConfig } from '../config/run-config';
import type { Policy } from '../config/policies';
import type { Phase } from '../train/events';

interface Label {
  readonly label: string;
  /** In "Fix …" on the start button. */
  readonly short: string;
  readonly hint?: string;
}

export const LABELS: Readonly<Record<ConfigKey, Label>> = {
  model: { label: 'Model', short: 'the model' },
  data: { label: 'Data', short: 'the data' },
  evalData: { label: 'Evaluation data', short: 'the evaluation data' },
  method: { label: 'Method', short: 'the method' },
  steps: { label: 'Steps', short: 'the steps' },
  seqLen: { label: 'Length', short: 'the length', hint: 'Tokens per row, at most.' },
  batchSize: { label: 'Batch', short: 'the batch', hint: 'Rows at a time.' },
  gradAccum: { label: 'Gradient accumulation', short: 'the accumulation', hint: 'Batches per optimizer step.' },
  lr: { label: 'Learning rate', short: 'the learning rate' },
  lrSchedule: { label: 'Schedule', short: 'the schedule', hint: 'How the learning rate falls after the warm-up.' },
  warmup: { label: 'Warm-up', short: 'the warm-up', hint: 'Steps over which the learning rate rises.' },
  weightDecay: { label: 'Weight decay', short: 'the weight decay' },
  beta1: { label: 'Adam β₁', short: 'β₁' },
  beta2: { label: 'Adam β₂', short: 'β₂' },
  eps: { label: 'Adam ε', short: 'ε' },
  gradClip: { label: 'Gradient clip', short: 'the gradient clip', hint: 'Largest gradient norm; 0: no clipping.' },
  gradClipMode: { label: 'Clip by', short: 'what is clipped', hint: 'By layer, one gradient is kept at a time instead of γ.' },
  seed: { label: 'Seed', short: 'the seed', hint: 'Decides the layers drawn and the order of the rows.' },
  lisaLayers: { label: 'Layers trained at a time (γ)', short: 'γ', hint: 'The others are frozen.' },
  stepsPerPeriod: { label: 'Steps per period (K)', short: 'K', hint: 'Then new layers are drawn.' },
  lisaSampler: { label: 'Sampler', short: 'the sampler', hint: 'How layers are drawn.' },
  lisaWeights: { label: 'Layer weights', short: 'the layer weights' },
  lisaProfile: { label: 'Layer importance', short: 'the importance profile' },
  lisaAdapt: { label: 'Adapt importance', short: 'how importance adapts', hint: 'Measures layers during the run and draws by that.' },
  lisaCorrectRate: {
    label: 'Correct learning rates',
    short: 'the correction',
    hint: 'Layers that are drawn more rarely take larger steps.',
  },
  lisaEmbedding: { label: 'Embedding', short: 'the embedding' },
  lisaHead: { label: 'Head', short: 'the head' },
  lisaNorm: { label: 'Final norm', short: 'the final norm' },
  alwaysOn: { label: 'Always on', short: 'the always-on tensors' },
  lisaState: {
    label: 'State of leaving layers',
    short: 'the state of leaving layers',
    hint: 'Dropped, or parked in main memory until the layer is drawn again.',
  },
  lisaRewarm: { label: 'Re-warm-up', short: 'the re-warm-up', hint: 'Updates over which the rate of a joining layer rises; 0: at once.' },
  optimizerState: {
    label: 'Optimizer state',
    short: 'the optimizer state',
    hint: 'm and v of AdamW. In 8 bits they take a quarter of the memory.',
  },
  recompute: {
    label: 'Recompute activations',
    short: 'recomputation',
    hint: 'Computes them again in the backward pass instead of keeping them.',
  },
  weightStorage: {
    label: 'Weights on the GPU',
    short: 'the weight storage',
    hint: 'Weights that do not train can keep the 16 bits of their file, or take 8 or 4 bits.',
  },
  loraRank: { label: 'Rank r', short: 'the rank' },
  loraAlpha: { label: 'α', short: 'α', hint: 'Adapters are scaled by α / r.' },
  mask: { label: 'Loss on', short: 'the loss mask', hint: 'Which tokens of a chat count toward the loss.' },
  packing: { label: 'Pack rows', short: 'packing', hint: 'Puts several short rows into one.' },
  shuffle: { label: 'Shuffle', short: 'shuffling' },
  columns: { label: 'Columns', short: 'the columns', hint: 'Which column holds which field.' },
  dedupe: { label: 'Remove duplicates', short: 'duplicates', hint: 'Leaves copies of held-out rows out of training.' },
  badRows: { label: 'Malformed rows', short: 'the malformed rows' },
  evalSplit: { label: 'Held-out share', short: 'the held-out share', hint: 'Rows kept for evaluation if there is no evaluation data.' },
  evalEvery: { label: 'Evaluate every', short: 'the evaluation interval', hint: 'In steps; 0: only before and after.' },
  saveEvery: {
    label: 'Save every (steps)',
    short: 'the save interval',
    hint: 'Leave empty to save after the first period and then as often as it costs at most 2 % of the time; 0: only at the end.',
  },
  prompts: { label: 'Prompts', short: 'the prompts', hint: 'One per line. If you give none, three come from the held-out rows.' },
  sampleAt: { label: 'Samples', short: 'the samples', hint: 'In between means at steps 10, 20, 40, 80 and so on.' },
  measureUpdates: {
    label: 'Measure how far layers move',
    short: 'the measurement',
    hint: 'Reads a layer back when it joins and when it leaves.',
  },
  temperature: { label: 'Temperature', short: 'the temperature', hint: '0: always the most likely token.' },
  sampleTokens: { label: 'Sample length', short: 'the sample length', hint: 'New tokens, at most.' },
};

export const METHOD_NAMES: Readonly<Record<Method, string>> = { lisa: 'LISA', full: 'Full', lora: 'LoRA' };

/** How embedding, head or norm trains. */
export const POLICY_NAMES: Readonly<Record<Policy, string>> = {
  on: 'At every step',
  off: 'Frozen',
  rows: 'Rows of tokens in the data',
  sampled: 'Drawn like a layer',
};

/** The values of settings that are one of a few words. */
export const CHOICES: { readonly [K in ChoiceKey]: Readonly<Record<RunConfig[K], string>> } = {
  method: METHOD_NAMES,
  lrSchedule: { cosine: 'Cosine', linear: 'Linear', constant: 'Constant' },
  gradClipMode: { global: 'One norm of all', block: 'The norm of each layer' },
  lisaSampler: {
    uniform: 'Uniform',
    cycle: 'Cycle',
    bernoulli: 'Bernoulli',
    weighted: 'Weighted',
    algorithm1: 'Algorithm 1 (first version)',
  },
  lisaAdapt: { off: 'No', gradients: 'By gradient norms', updates: 'By how far layers move' },
  lisaState: { drop: 'Drop', park: 'Park' },
  optimizerState: { f32: '32 bits', int8: '8 bits' },
  recompute: { off: 'Keep all', mlp: 'Of the feed-forward', layer: 'Of the whole layer' },
  weightStorage: { f32: '32 bits', stored: 'As stored', int8: '8 bits', int4: '4 bits' },
  mask: { assistant: 'Answers only', all: 'Every token' },
  badRows: { refuse: 'Refuse the file', skip: 'Skip them' },
  sampleAt: { log: 'In between too', ends: 'Before and after' },
};

export const METHOD_HINTS: Readonly<Record<Method, string>> = {
  lisa: 'Trains γ random layers at a time, fully, and draws again every K steps.',
  full: 'Trains every weight at every step.',
  lora: 'Trains small adapters beside every frozen matrix.',
};

/** As a sentence fragment for the status line. */
export const PHASE_NAMES: Readonly<Record<Phase, string>> = {
  opening: 'Opening the GPU',
  loading: 'Loading',
  preparing: 'Preparing',
  evaluating: 'Evaluating',
  sampling: 'Writing a sample',
  training: 'Training',
  paused: 'Paused',
  saving: 'Saving',
  done: 'Done',
  failed: 'Failed',
};

/** The part of the set-up that says which model. */
export const MODEL_PANEL = 'model-panel';
export const METHOD_PANEL = 'method-panel';
export const SCHEDULE_PANEL = 'schedule-panel';
export const MEMORY_PANEL = 'memory-panel';

export const fieldId = (key: ConfigKey): string => `field-${key}`;

/** Parts of a model as the worker names them: 'layer.3' is layer 3. */
export const blockTitle = (name: string): string => name.replace(/^layer\./, 'layer ');
