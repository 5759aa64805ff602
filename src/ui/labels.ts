// What options, phases and methods are called on the page.

import type { ConfigKey, Method } from '../config/run-config';
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
  seqLen: { label: 'Length', short: 'the length', hint: 'Tokens of a row, at most.' },
  batchSize: { label: 'Batch', short: 'the batch', hint: 'Rows at once.' },
  gradAccum: { label: 'Gradient accumulation', short: 'the accumulation', hint: 'Batches of one optimizer step.' },
  lr: { label: 'Learning rate', short: 'the learning rate' },
  lrSchedule: { label: 'Schedule', short: 'the schedule', hint: 'How the learning rate falls after the warm-up.' },
  warmup: { label: 'Warm-up', short: 'the warm-up', hint: 'Steps over which the learning rate rises.' },
  weightDecay: { label: 'Weight decay', short: 'the weight decay' },
  beta1: { label: 'Adam β₁', short: 'β₁' },
  beta2: { label: 'Adam β₂', short: 'β₂' },
  eps: { label: 'Adam ε', short: 'ε' },
  gradClip: { label: 'Gradient clip', short: 'the gradient clip', hint: 'Largest gradient norm; 0 turns it off.' },
  seed: { label: 'Seed', short: 'the seed', hint: 'Decides layers and data order.' },
  lisaLayers: { label: 'γ, layers at a time', short: 'γ', hint: 'The others are frozen.' },
  lisaPeriod: { label: 'K, steps of a period', short: 'K', hint: 'Then new ones are drawn.' },
  lisaSampler: { label: 'Sampler', short: 'the sampler', hint: 'Cycle: every layer once before any comes twice.' },
  lisaWeights: { label: 'Layer weights', short: 'the layer weights' },
  lisaTrain: { label: 'Always on', short: 'the always-on tensors' },
  lisaState: { label: 'State of leaving layers', short: 'the state option', hint: 'Dropped, or parked in main memory until drawn again.' },
  lisaRewarm: { label: 'Re-warm-up', short: 'the re-warm-up', hint: 'Updates over which a joining layer’s rate rises; 0: at once.' },
  weights: {
    label: 'Weights on the GPU',
    short: 'the weight storage',
    hint: 'As stored: what does not train keeps the 16 bits of its file, at half the memory.',
  },
  loraRank: { label: 'Rank r', short: 'the rank' },
  loraAlpha: { label: 'α', short: 'α', hint: 'Adapters are scaled by α / r.' },
  mask: { label: 'Loss on', short: 'the mask', hint: 'Which tokens of a chat are learned.' },
  packing: { label: 'Pack rows', short: 'packing', hint: 'Several short rows in one.' },
  shuffle: { label: 'Shuffle', short: 'shuffling' },
  columns: { label: 'Columns', short: 'the columns', hint: 'Which column holds what.' },
  dedupe: { label: 'Remove duplicates', short: 'duplicates', hint: 'Copies of held-out rows leave the training part.' },
  badRows: { label: 'Malformed rows', short: 'the bad-row option' },
  evalSplit: { label: 'Held-out share', short: 'the held-out share', hint: 'Rows kept for evaluation where the data has no set for it.' },
  evalEvery: { label: 'Evaluate every', short: 'the evaluation interval', hint: 'Steps; 0: only before and after.' },
  saveEvery: { label: 'Save every', short: 'the save interval', hint: 'Steps; 0: only at the end.' },
  prompts: { label: 'Prompts', short: 'the prompts', hint: 'One a line; sampled before and after.' },
  sampleAt: { label: 'Samples', short: 'the samples', hint: 'In between: at steps 10, 20, 40, 80 and so on.' },
  measureUpdates: {
    label: 'Measure how far layers move',
    short: 'the measuring',
    hint: 'Reads a layer back when it joins and when it leaves.',
  },
  temperature: { label: 'Temperature', short: 'the temperature', hint: '0: always the likeliest token.' },
  sampleTokens: { label: 'Sample length', short: 'the sample length', hint: 'New tokens, at most.' },
};

export const METHOD_NAMES: Readonly<Record<Method, string>> = { lisa: 'LISA', full: 'Full', lora: 'LoRA' };

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

export const fieldId = (key: ConfigKey): string => `field-${key}`;

/** Parts of a model as the worker names them: 'layer.3' is layer 3. */
export const blockTitle = (name: string): string => name.replace(/^layer\./, 'layer ');
