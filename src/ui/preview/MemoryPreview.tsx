// The memory that each method will need, before anything is loaded: bars that follow every setting, against the
// person's budget and the device's limits. They are calculated in the planner's thread; until then the last ones stay.

import { lazy, Suspense } from 'react';
import type { Method, RunConfig } from '../../config/run-config';
import type { Forecast } from '../../plan/forecast';
import { limitError, limitFault } from '../../plan/forecast-limits';
import { useBudgetStore, verdictOf } from '../../store/setup/budget';
import { useDeviceStore } from '../../store/run/device';
import { BAR_METHODS, purposeBar } from '../charts/bar-model';
import { BarLegend, MemoryBars, scaleOf } from '../charts/MemoryBars';
import { formatBytes, formatLarge, formatPercent } from '../format';
import { MEMORY_PANEL, METHOD_NAMES } from '../labels';
import { ErrorCard } from '../widgets/ErrorCard';
import { Panel } from '../widgets/Panel';
import { forecastReceipt } from '../receipt';
import { BudgetControl } from './BudgetControl';
import type { PlannedModel } from './forecast-key';
import { usePlanned } from './planning';

// It lies below the first screen.
const MoreMemory = lazy(() => import('./MoreMemory'));

interface MemoryPreviewProps {
  readonly config: RunConfig;
  readonly model: PlannedModel;
  /** Shows larger models beside a small one. */
  readonly builtin: boolean;
}

export function MemoryPreview(props: MemoryPreviewProps) {
  const { config, model, builtin } = props;
  const { answer, error, stale } = usePlanned('bars', 'methods', { model, config });
  return (
    <Panel
      id={MEMORY_PANEL}
      title="Estimated memory"
      aside={<span className="tag">forecast</span>}
      className={builtin ? 'memory-preview with-larger' : 'memory-preview'}
    >
      {error && !stale && <ErrorCard error={error} />}
      {answer && (stale || !error) && <Bars {...props} forecasts={answer} />}
      {!answer && stale && <p className="note">Loading the forecast…</p>}
    </Panel>
  );
}

interface BarsProps extends MemoryPreviewProps {
  readonly forecasts: Readonly<Record<Method, Forecast>>;
}

function Bars({ forecasts, config, model, builtin }: BarsProps) {
  const budget = useBudgetStore((state) => state.budget);
  const device = useDeviceStore((state) => state.device);
  const bars = BAR_METHODS.map((method) => purposeBar(METHOD_NAMES[method], forecasts[method], method === config.method));
  const chosen = forecasts[config.method];
  const parameters = forecasts.full.trainable;
  const limits = device.status === 'ready' ? device.limits : null;
  const fault = limits && limitFault(chosen, limits);
  const scale = scaleOf(bars, budget);
  return (
    <>
      <p className="receipt">{forecastReceipt(config.method, chosen.total, forecasts.full.total)}</p>
      {fault && <ErrorCard error={limitError(fault, formatBytes)} />}
      <MemoryBars label="Memory of each method" bars={bars} scale={scale} against={0} budget={budget} />
      <BarLegend bars={bars} />
      <p className="note facts">
        {trainedSentence(config.method, chosen.trainable, parameters)} Point at a segment of a bar, or use the arrow keys on it, to see how
        it is calculated.
      </p>
      <BudgetControl
        needs={formatBytes(chosen.total)}
        method={METHOD_NAMES[config.method]}
        verdict={budget === null ? null : verdictOf(chosen.total, budget)}
        config={config}
        model={model}
      />
      <Suspense fallback={null}>
        <MoreMemory config={config} model={model} builtin={builtin} own={bars} ownScale={scale} limits={limits} budget={budget} />
      </Suspense>
    </>
  );
}

/** LoRA's adapters are not among the model's own parameters. */
const trainedSentence = (method: RunConfig['method'], trained: number, parameters: number): string =>
  method === 'lora'
    ? `LoRA trains ${formatLarge(trained)} parameters of adapters beside the model’s ${formatLarge(parameters)}, which stay as they are (${formatPercent(trained / (trained + parameters))} of both).`
    : `${METHOD_NAMES[method]} trains ${formatLarge(trained)} of ${formatLarge(parameters)} parameters per step (${formatPercent(trained / parameters)}).`;
