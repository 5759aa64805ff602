// A model's verdict: what it is, what each method would need with the current settings, and what prevents a run.

import { useDeferredValue, useMemo } from 'react';
import type { RunConfig } from '../../config/run-config';
import type { Dtype, ModelShape } from '../../model/types';
import { useBudgetStore } from '../../store/setup/budget';
import { useDeviceStore } from '../../store/run/device';
import { purposeBar } from '../charts/bar-model';
import { MemoryBars, scaleOf } from '../charts/MemoryBars';
import { formatBytes, formatCount, formatLarge, formatList, plural } from '../format';
import { METHOD_NAMES } from '../labels';
import type { PlannedModel } from '../preview/forecast-key';
import { useForecaster } from '../preview/forecasts';
import { fittedNotes, modelStanding, standingReasons, standingSentence, type ModelStanding } from './verdict';

/** With the current settings; null until a model is known and the forecaster is loaded. */
export function useModelStanding(model: PlannedModel | null, config: RunConfig): ModelStanding | null {
  const forecaster = useForecaster((state) => state.forecaster);
  const device = useDeviceStore((state) => state.device);
  const budget = useBudgetStore((state) => state.budget);
  const limits = device.status === 'ready' ? device.limits : null;
  const settled = useDeferredValue(config);
  return useMemo(
    () => forecaster && model && modelStanding(model, settled, forecaster, { limits, budget }),
    [forecaster, model, settled, limits, budget],
  );
}

interface ModelVerdictProps {
  readonly name: string;
  readonly standing: ModelStanding | null;
  readonly config: RunConfig;
  /** False if the same bars are elsewhere on the screen. */
  readonly withBars?: boolean;
}

/** Bars of the three methods. They keep their space, so that nothing below moves when they appear. */
export function ModelVerdict({ name, standing, config, withBars = true }: ModelVerdictProps) {
  const budget = useBudgetStore((state) => state.budget);
  const bars = (standing?.methods ?? []).flatMap(({ method, forecast, verdict }) =>
    forecast ? [{ ...purposeBar(METHOD_NAMES[method], forecast, method === config.method), cannot: verdict === 'cannot' }] : [],
  );
  const own = standing?.methods.find(({ method }) => method === config.method);
  const notes = standing ? fittedNotes(standing.fitted, config) : [];
  return (
    <div className="model-verdict" data-verdict={own?.verdict}>
      {withBars && bars.length > 0 && (
        <MemoryBars
          label={`Memory of ${name}`}
          bars={bars}
          scale={scaleOf(bars, budget)}
          against={0}
          budget={budget}
          compact
          axis={false}
        />
      )}
      {withBars && bars.length === 0 && <div className="bars-room" />}
      {!standing && !withBars && <p className="note">Calculating its memory…</p>}
      {standing && (
        <>
          <p className={own?.verdict === 'exceeds' ? 'note fault' : 'note'}>
            {standingSentence(standing, config.method)}
            {notes.length > 0 && ` Maximum: ${formatList(notes)}.`}
          </p>
          {standingReasons(standing.methods).map((reason) => (
            <p key={reason} className="note fault">
              {reason}
            </p>
          ))}
        </>
      )}
    </div>
  );
}

interface ShapeLineProps {
  readonly shape: ModelShape;
  /** The types of the weights, if the headers were read. */
  readonly facts?: { readonly parameters: number; readonly dtypes: Readonly<Record<Dtype, number>>; readonly bytes: number };
}

const DTYPE_NAMES: Readonly<Record<Dtype, string>> = { f32: 'F32', f16: 'F16', bf16: 'BF16' };

const storedAs = (dtypes: Readonly<Record<Dtype, number>>): string =>
  formatList((Object.keys(DTYPE_NAMES) as Dtype[]).filter((dtype) => dtypes[dtype] > 0).map((dtype) => DTYPE_NAMES[dtype]));

/** What the model is, in one line or two. */
export function ShapeLine({ shape, facts }: ShapeLineProps) {
  const parts = [
    plural(shape.layers, 'layer'),
    `width ${formatCount(shape.width)}`,
    `vocabulary ${formatCount(shape.vocab)}`,
    `${formatCount(shape.maxPositions)} positions`,
  ];
  if (facts) parts.unshift(`${formatLarge(facts.parameters)} parameters in ${storedAs(facts.dtypes)}`, formatBytes(facts.bytes));
  return <p className="note facts">{parts.join(' · ')}</p>;
}
