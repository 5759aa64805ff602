// Checked readers of what a run reports about itself: prepared, report, samples. The protocol types them, so the
// compiler complains if a field that was added there is missing here.

import { IMPORTANCE_SOURCES } from '../../config/importance';
import { ERROR_CODES, type ErrorInfo } from '../../base/errors';
import { FAMILIES } from '../../model/config-families';
import { completeShape, type RecordedShape } from '../../model/older-shapes';
import type { ModelShape, Rope, RopeScaling, FamilyName, Window } from '../../model/types';
import type { FormulaTerm } from '../../plan/forecast-formula';
import type { Forecast, ForecastPart } from '../../plan/forecast';
import type { CategoryBytes, MemoryTotals } from '../../dispatch/memory';
import type { DataSummary } from '../../data/sample/dataset';
import type { Ending } from '../../data/tokenize/ending';
import type { BlockBytes } from '../../plan/block-bytes';
import type { BernoulliReport, Period } from '../../lisa/schedule';
import type { HeldOut, ImportanceReport, Prepared, Rounding, RunReport, Sample } from '../../train/events';
import { count, flag, list, measured, nullable, number, object, oneOf, optional, text, type Reader } from './json-readers';

const CLASSES = {
  weights: count,
  masters: count,
  gradients: count,
  optimizer: count,
  activations: count,
  workspace: count,
  inputs: count,
  cache: count,
  staging: count,
};
const classBytes = object<CategoryBytes>(CLASSES);
export const totals = object<MemoryTotals>({ ...CLASSES, total: count });

const memoryClass = oneOf(...(Object.keys(CLASSES) as (keyof typeof CLASSES)[]));

export const errorReader = object<ErrorInfo>({ code: oneOf(...ERROR_CODES), detail: text, remedy: text });

export const sample = object<Sample>({
  when: oneOf('before', 'after', 'during'),
  step: count,
  prompt: text,
  text,
  leftOut: optional(count),
});

const device = object<Prepared['device']>({ vendor: text, architecture: text, description: text, software: flag });

const method = oneOf('lisa', 'full', 'lora');

const linear = object<Extract<RopeScaling, { type: 'linear' }>>({ type: oneOf('linear'), factor: number });
const llama3 = object<Extract<RopeScaling, { type: 'llama3' }>>({
  type: oneOf('llama3'),
  factor: number,
  lowFreqFactor: number,
  highFreqFactor: number,
  originalPositions: count,
});
const zeroOrOne: Reader<0 | 1> = (value, path) => (count(value, path) === 0 ? 0 : 1);
const yarn = object<Extract<RopeScaling, { type: 'yarn' }>>({
  type: oneOf('yarn'),
  factor: number,
  betaFast: number,
  betaSlow: number,
  originalPositions: count,
  attentionFactor: number,
});
const ropeScaling: Reader<RopeScaling> = (value, path) => {
  const { type } = object<{ type: RopeScaling['type'] }>({ type: oneOf('linear', 'llama3', 'yarn') })(value, path);
  if (type === 'yarn') return yarn(value, path);
  return type === 'linear' ? linear(value, path) : llama3(value, path);
};

const rope = nullable(object<Rope>({ theta: number, scaling: nullable(ropeScaling) }));

const recordedShape = object<RecordedShape>({
  family: oneOf(...(Object.keys(FAMILIES) as FamilyName[])),
  style: oneOf('gpt2', 'llama'),
  vocab: count,
  width: count,
  layers: count,
  heads: count,
  kvHeads: count,
  headDim: count,
  ff: count,
  maxPositions: count,
  norm: oneOf('layer', 'rms'),
  normEps: number,
  normOffset: optional(zeroOrOne),
  sandwich: optional(flag),
  activation: oneOf('gelu_tanh', 'gelu_erf', 'swiglu', 'geglu'),
  rope,
  window: optional(nullable(object<Window>({ size: count, layers: list(count), rope }))),
  attentionScale: optional(number),
  ropeless: optional(list(count)),
  embeddingScale: optional(number),
  residualScale: optional(number),
  logitScale: optional(number),
  logitCap: optional(nullable(number)),
  tied: flag,
  qkNorm: flag,
  qkvBias: flag,
  attentionOutBias: flag,
  mlpBias: flag,
});
const shape: Reader<ModelShape> = (value, path) => completeShape(recordedShape(value, path));

const formulaTerm = object<FormulaTerm>({
  counts: list(
    object({ count: number, unit: oneOf('layer', 'parameter', 'adapter parameter', 'token', 'value', 'buffer', 'row', 'logit') }),
  ),
  bytes: number,
  what: text,
});

const largestBuffer = object<Forecast['largest']['buffer']>({
  name: text,
  bytes: count,
  memory: memoryClass,
  block: optional(text),
  tensor: optional(text),
});

const forecast = object<Forecast>({
  method,
  bytes: classBytes,
  total: count,
  parts: list(
    object<ForecastPart>({
      id: oneOf('weights', 'edges-state', 'layers-gradients', 'layers-optimizer', 'activations', 'workspace', 'other'),
      bytes: count,
      formula: list(formulaTerm),
    }),
  ),
  reused: optional(count),
  trainable: count,
  largest: object({ buffer: largestBuffer, binding: largestBuffer }),
});

const schedule = list(
  object<Period>({
    period: count,
    firstStep: count,
    layers: list(count),
    blocks: optional(list(oneOf('embedding', 'head', 'norm'))),
  }),
);

const counts = (value: unknown, path: string): Record<string, number> =>
  Object.fromEntries(Object.entries(object<object>({})(value, path) && (value as object)).map(([key, n]) => [key, count(n, path)]));

/** Records of earlier versions don't say how turns end. */
const NO_ENDING: Ending = { of: 'nothing', token: null, stopIds: [] };
const ending = object<Ending>({ of: oneOf('turn', 'text', 'nothing'), token: nullable(object({ id: count, text })), stopIds: list(count) });

const importance = object<ImportanceReport>({
  source: oneOf(...IMPORTANCE_SOURCES),
  fingerprint: nullable(text),
  steps: count,
  weights: list(number),
  expected: list(number),
  certain: list(count),
  adapted: optional(
    object<NonNullable<ImportanceReport['adapted']>>({
      by: oneOf('gradients', 'updates'),
      history: list(object({ period: count, weights: list(number) })),
    }),
  ),
});

export const prepared = object<Prepared>({
  modelName: text,
  shape,
  parameters: count,
  trainable: count,
  data: object<DataSummary>({
    name: text,
    format: text,
    rows: count,
    evalRows: count,
    duplicates: count,
    tokens: count,
    targets: count,
    truncated: count,
    dropped: count,
    // Records of earlier versions don't have it.
    perAnswer: (value, path) => (value === undefined ? 0 : count(value, path)),
    badRows: count,
    distinct: optional(count),
    unread: (value, path) => (value === undefined ? {} : counts(value, path)),
    ending: (value, path) => (value === undefined ? NO_ENDING : ending(value, path)),
  }),
  device,
  forecasts: object({ full: forecast, lisa: forecast, lora: forecast }),
  schedule,
  blocks: list(object<BlockBytes>({ name: text, weights: count, gradient: count, m: count, v: count, always: flag })),
  rows: optional(object<NonNullable<Prepared['rows']>>({ trained: count, all: count })),
  keptWider: optional(list(text)),
  importance: optional(importance),
  firstStep: count,
});

export const report = object<RunReport>({
  method,
  model: optional(object<NonNullable<RunReport['model']>>({ name: text, fingerprint: text, layers: count })),
  data: optional(object<NonNullable<RunReport['data']>>({ name: text, rows: count })),
  steps: optional(count),
  device,
  kernels: text,
  schedule,
  memory: object({ forecast: totals, peak: totals, fullForecast: totals, loraForecast: totals }),
  parameters: count,
  stored: optional(
    object<NonNullable<RunReport['stored']>>({
      f32: count,
      f16: count,
      bf16: count,
      int8: optional(count),
      int4: optional(count),
    }),
  ),
  rounding: optional(object<Rounding>({ layers: list(count), before: nullable(measured), after: nullable(measured) })),
  trainable: count,
  tokensPerSecond: measured,
  bernoulli: optional(object<BernoulliReport>({ redrawn: count, cappedPeriods: count, dropped: count, emptyPeriods: optional(count) })),
  importance: optional(importance),
  updates: list(object({ period: count, layers: list(object({ layer: count, change: measured })) })),
  evalLoss: list(object<HeldOut>({ step: count, loss: measured, weights: optional(oneOf('f32', 'f16', 'bf16')) })),
});
