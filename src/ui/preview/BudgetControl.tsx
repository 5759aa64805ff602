// The memory that the person's GPU can give: a slider and a number, and whether the chosen method fits.

import { lazy, Suspense, useState } from 'react';
import { BUDGET_RANGE, setBudget, useBudgetStore, type Verdict } from '../../store/setup/budget';
import type { RunConfig } from '../../config/run-config';
import { formatBytes } from '../format';
import { Slider } from '../widgets/Slider';
import { budgetStops } from '../widgets/stops';
import { Why } from '../widgets/Why';
import type { PlannedModel } from './forecast-key';

// Only who sets a budget needs it.
const FitToBudget = lazy(() => import('./FitToBudget').then((part) => ({ default: part.FitToBudget })));

const STOPS = budgetStops(16e6, BUDGET_RANGE.max);
/** The slider's place before anything is set: what many laptops have. */
const UNSET = 4e9;
const GB = 1e9;

const inGigabytes = (bytes: number): string => String(Number((bytes / GB).toPrecision(4)));

const VERDICT_TEXT: Readonly<Record<Verdict, string>> = {
  fits: 'it fits.',
  tight: 'it is tight, because drivers, the desktop and other tabs also need memory.',
  exceeds: 'it exceeds the budget. You can start anyway, but the GPU may refuse or use slower memory.',
};

interface BudgetControlProps {
  /** '31.2 MB': what the chosen method needs. */
  readonly needs: string;
  readonly method: string;
  readonly verdict: Verdict | null;
  readonly config: RunConfig;
  readonly model: PlannedModel;
}

export function BudgetControl({ needs, method, verdict, config, model }: BudgetControlProps) {
  const budget = useBudgetStore((state) => state.budget);
  /** While the field is in use: '0' on the way to '0.5' is no budget yet. */
  const [typed, setTyped] = useState<string | null>(null);
  return (
    <div className="field budget" data-set={budget !== null}>
      <div className="field-head">
        <label htmlFor="budget">Memory budget</label>
        <Why of="Memory budget">
          Browsers don’t report GPU memory. Enter what your GPU has, or what you want to use, to see what fits. The budget is only a line in
          the chart; it does not block a run.
        </Why>
      </div>
      <div className="slid">
        <Slider label="Memory budget" stops={STOPS} value={budget ?? UNSET} text={formatBytes} onChange={setBudget} />
        <span className="with-unit">
          <input
            id="budget"
            type="text"
            inputMode="decimal"
            autoComplete="off"
            placeholder="not set"
            value={typed ?? (budget === null ? '' : inGigabytes(budget))}
            aria-describedby="budget-note"
            onChange={({ target }) => {
              setTyped(target.value);
              setBudget(Number(target.value.trim().replace(',', '.')) * GB);
            }}
            onBlur={() => setTyped(null)}
          />
          <span>GB</span>
        </span>
        <button type="button" className="button small" disabled={budget === null} onClick={() => setBudget(null)}>
          Clear
        </button>
      </div>
      <p className="note" id="budget-note">
        {budget === null || verdict === null
          ? 'Not set. Browsers don’t report GPU memory.'
          : `${method} needs ${needs} of ${formatBytes(budget)}: ${VERDICT_TEXT[verdict]}`}
      </p>
      <Suspense fallback={null}>{budget !== null && <FitToBudget budget={budget} config={config} model={model} />}</Suspense>
    </div>
  );
}
