// What a model would need with each method, before any of it is loaded or downloaded: the forecast of its config against the
// device's limits and the person's budget. Pure. An unknown value is reported as unknown, never as a number.

import { configFaults, type Method, type RunConfig } from '../../config/run-config';
import type { DeviceLimits } from '../../dispatch/limits';
import type { Forecast } from '../../plan/forecast';
import { limitFault } from '../../plan/forecast-limits';
import { verdictOf, type Verdict } from '../../store/setup/budget';
import { formatBytes, formatCount, formatList } from '../format';
import { METHOD_NAMES } from '../labels';
import type { PlannedModel } from '../preview/forecast-key';
import type { Forecaster } from '../preview/forecaster';
import { fitConfig } from '../preview/forecasts';

/** 'allowed': it is within the device's limits, and no budget is set. 'unknown': the current settings cannot run. */
export type MethodVerdict = Verdict | 'allowed' | 'cannot' | 'unknown';

export interface MethodStanding {
  readonly method: Method;
  readonly forecast: Forecast | null;
  readonly verdict: MethodVerdict;
  /** For 'cannot': the reason. */
  readonly reason: string | null;
}

export interface ModelStanding {
  /** The settings, lowered to what the model allows. */
  readonly fitted: RunConfig;
  readonly methods: readonly MethodStanding[];
}

const STANDING_METHODS: readonly Method[] = ['full', 'lora', 'lisa'];

interface Against {
  /** Null while the device is not open and its limits are unknown. */
  readonly limits: DeviceLimits | null;
  readonly budget: number | null;
}

/** Null while a forecast is not there yet. */
export function modelStanding(
  model: PlannedModel,
  config: RunConfig,
  forecaster: Pick<Forecaster, 'memory'>,
  against: Against,
): ModelStanding | null {
  const fitted = fitConfig(config, model.shape);
  const runs = configFaults(fitted, model.shape).length === 0;
  if (runs && STANDING_METHODS.some((method) => forecaster.memory(model, fitted, method) === null)) return null;
  return {
    fitted,
    methods: STANDING_METHODS.map((method) => (runs ? methodStanding(method, model, fitted, forecaster, against) : unknown(method))),
  };
}

const unknown = (method: Method): MethodStanding => ({ method, forecast: null, verdict: 'unknown', reason: null });

function methodStanding(
  method: Method,
  model: PlannedModel,
  config: RunConfig,
  forecaster: Pick<Forecaster, 'memory'>,
  { limits, budget }: Against,
): MethodStanding {
  const { forecast, error } = forecaster.memory(model, config, method)!;
  if (!forecast) return { method, forecast: null, verdict: 'cannot', reason: error.detail };
  const fault = limits && limitFault(forecast, limits);
  if (fault) {
    const { what, kind, bytes, limit } = fault;
    const reason = `${what} needs one ${kind} of ${formatBytes(bytes)}; this device allows ${formatBytes(limit)}`;
    return { method, forecast, verdict: 'cannot', reason };
  }
  return { method, forecast, verdict: budget === null ? 'allowed' : verdictOf(forecast.total, budget), reason: null };
}

/** The reasons, each said once for the methods that share it. */
export function standingReasons(methods: readonly MethodStanding[]): string[] {
  const byReason = new Map<string, Method[]>();
  for (const { method, reason } of methods) if (reason !== null) byReason.set(reason, [...(byReason.get(reason) ?? []), method]);
  return [...byReason].map(([reason, of]) => `${formatList(of.map((method) => METHOD_NAMES[method]))} cannot run: ${reason}.`);
}

/** Settings that were lowered to the model's maximum: 'length 1,024'. */
export function fittedNotes(fitted: RunConfig, config: RunConfig): string[] {
  const notes: string[] = [];
  if (fitted.seqLen < config.seqLen) notes.push(`length ${formatCount(fitted.seqLen)}`);
  if (fitted.lisaLayers < config.lisaLayers) notes.push(`γ = ${fitted.lisaLayers}`);
  return notes;
}

/** The chosen method in one sentence. */
export function standingSentence({ methods }: ModelStanding, method: Method): string {
  const own = methods.find((each) => each.method === method);
  if (!own?.forecast) return 'The current settings cannot run, so there is no forecast.';
  const needs = `${METHOD_NAMES[method]} needs ${formatBytes(own.forecast.total)} on the GPU (forecast)`;
  switch (own.verdict) {
    case 'fits':
      return `${needs}, which fits the budget.`;
    case 'tight':
      return `${needs}, which is a tight fit for the budget.`;
    case 'exceeds':
      return `${needs}, which exceeds the budget.`;
    default:
      return `${needs}.`;
  }
}
