// Answers of the page's planner: what takes many plans, and therefore runs in a worker of its own (planner.worker.ts). Pure.

import type { ConfigKey, Method, RunConfig } from '../../config/run-config';
import { AppError, errorInfo, type ErrorInfo } from '../../base/errors';
import { fitToBudget, type BudgetPlan } from '../../plan/budget';
import { forecast, type Forecast } from '../../plan/forecast';
import { waterfall, type Waterfall } from '../../plan/waterfall';
import type { PlannedModel } from './forecast-key';
import { forecaster, type ForecastResult } from './forecaster';

interface Asked {
  readonly model: PlannedModel;
  readonly config: RunConfig;
}

export interface Questions {
  readonly memory: Asked;
  /** FLOPs of a step. */
  readonly flops: Asked;
  /** The memory of every method with otherwise equal settings. */
  readonly methods: Asked;
  readonly waterfall: Asked;
  /** The changes that make a run fit; settings in `given` stay. */
  readonly fit: Asked & { readonly budget: number; readonly given: readonly ConfigKey[] };
  /** Bytes with these settings, and with every setting that may save memory. */
  readonly range: Asked;
}

export interface Answers {
  readonly memory: ForecastResult;
  readonly flops: number | null;
  readonly methods: Readonly<Record<Method, Forecast>>;
  readonly waterfall: Waterfall;
  readonly fit: BudgetPlan;
  readonly range: { readonly own: number; readonly least: number };
}

export type Kind = keyof Questions;

const ANSWER: { readonly [K in Kind]: (question: Questions[K]) => Answers[K] } = {
  memory: ({ model, config }) => forecaster.memory(model, config),
  flops: ({ model, config }) => forecaster.stepFlops(model, config),
  methods: ({ model, config }) => {
    const of = (method: Method): Forecast => {
      const { forecast, error } = forecaster.memory(model, config, method);
      if (error) throw new AppError(error.code, error.detail, error.remedy);
      return forecast;
    };
    return { full: of('full'), lora: of('lora'), lisa: of('lisa') };
  },
  waterfall: ({ model: { shape, types, dataTokens }, config }) => waterfall(shape, config, types, dataTokens),
  fit: ({ model: { shape, types, dataTokens }, config, budget, given }) =>
    fitToBudget({ shape, config, budget, given: new Set(given), types, tokens: dataTokens }),
  range: ({ model: { shape, types, dataTokens }, config }) => ({
    own: forecast(shape, config, types, dataTokens).total,
    least: fitToBudget({ shape, config, budget: 0, given: new Set(), types, tokens: dataTokens }).total,
  }),
};

export interface PlannerRequest<K extends Kind = Kind> {
  readonly id: number;
  readonly kind: K;
  readonly question: Questions[K];
}

export interface PlannerReply {
  readonly id: number;
  readonly answer: Answers[Kind] | null;
  readonly error: ErrorInfo | null;
}

export function reply<K extends Kind>({ id, kind, question }: PlannerRequest<K>): PlannerReply {
  try {
    return { id, answer: ANSWER[kind](question), error: null };
  } catch (thrown) {
    return { id, answer: null, error: errorInfo(thrown) };
  }
}
