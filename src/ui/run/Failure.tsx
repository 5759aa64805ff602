// The card of an error that ended a run (or an export after it): what happened, what is safe, and changes that may help. One
// click makes a change and leads to its setting.

import { useMemo } from 'react';
import type { ConfigKey } from '../../config/run-config';
import type { ErrorInfo } from '../../base/errors';
import { exportLastGood } from '../../store/run/actions';
import { setConfig } from '../../store/setup/config';
import { setView, type Run } from '../../store/run/run';
import type { ActionState } from '../actions';
import { familyOf, safeSentence, suggestions, type Suggestion } from '../error-cards';
import { focusField } from '../focus';
import { formatBytes } from '../format';
import { ActionButton } from '../widgets/Button';
import { ErrorCard } from '../widgets/ErrorCard';
import type { PlannedModel } from '../preview/forecast-key';
import type { Forecaster } from '../preview/forecaster';
import { useForecaster } from '../preview/forecasts';

interface FailureProps {
  readonly run: Run;
  readonly error: ErrorInfo;
  readonly state: ActionState;
}

export function Failure({ run, error, state }: FailureProps) {
  const { config } = run;
  const { setup, device } = state;
  const forecaster = useForecaster((loaded) => loaded.forecaster);
  // Memory can run out before the worker has described the model; then the set-up knows the shape.
  const chosen = setup.config.model === config.model ? setup.model : null;
  const shape = run.prepared?.shape ?? chosen?.shape;
  const types = chosen?.types ?? 'f32';
  const offered = useMemo(
    () => suggestions(error, config).map((s) => ({ ...s, saves: forecastSaving(forecaster, shape ? { shape, types } : null, run, s) })),
    [forecaster, error, shape, types, run, config],
  );
  const family = familyOf(error.code);
  return (
    <ErrorCard error={error} safe={run.phase === 'failed' ? safeSentence(run.step, run.savedStep) : undefined}>
      {(family === 'lost' || family === 'fault') && device.status !== 'opening' && <ActionButton id="reopen" state={state} />}
      {run.lastGood !== null && (
        <button type="button" className="button" data-action="exportLastGood" onClick={exportLastGood}>
          Export the model after step {run.lastGood}
        </button>
      )}
      {offered.map((suggestion) => (
        <button type="button" className="button" key={suggestion.label} onClick={() => apply(suggestion)}>
          {suggestion.label}
          {suggestion.saves > 0 && <span className="note"> −{formatBytes(suggestion.saves)} (forecast)</span>}
        </button>
      ))}
      {(family === 'data' || family === 'model') && (
        <button type="button" className="button" onClick={() => showField(family)}>
          Choose another {family === 'data' ? 'data file' : 'model'}
        </button>
      )}
      {run.phase === 'failed' && (
        <ActionButton id="settings" state={state}>
          Change the settings
        </ActionButton>
      )}
    </ErrorCard>
  );
}

function apply({ patch }: Suggestion): void {
  setConfig(patch);
  showField(Object.keys(patch)[0] as ConfigKey);
}

/** Back to the set-up, with this control in view and under the keyboard. */
function showField(key: ConfigKey): void {
  setView('setup');
  // The control exists after the next render.
  requestAnimationFrame(() => focusField(key));
}

/** Bytes that a change would save, by the forecast; 0 if that is unknown or if nothing is saved. */
function forecastSaving(forecaster: Forecaster | null, model: PlannedModel | null, { config }: Run, { patch }: Suggestion): number {
  if (!model || !forecaster) return 0;
  const now = forecaster.memory(model, config)?.forecast?.total ?? 0;
  const then = forecaster.memory(model, { ...config, ...patch })?.forecast?.total ?? now;
  return now - then;
}
