// How a run ended: the card of its error with one-click changes, or the download.

import { useMemo } from 'react';
import type { RunConfig } from '../../config';
import { setConfig } from '../../store/config';
import { setView, type Run } from '../../store/run';
import { focusField } from '../focus';
import type { ActionState } from '../actions';
import { familyOf, safeSentence, suggestions, type Suggestion } from '../error-cards';
import { formatBytes } from '../format';
import { ActionButton } from '../parts/Button';
import { ErrorCard } from '../parts/ErrorCard';
import { forecastsFor } from '../preview/forecasts';

export function Outcome({ run, state }: { readonly run: Run; readonly state: ActionState }) {
  if (run.error) return <Failure run={run} state={state} />;
  if (run.phase !== 'done' || typeof run.exported.model !== 'object') return null;
  const { links, contents } = run.exported.model;
  return (
    <section className="card" aria-label="Download">
      <p>
        Saved by the browser:{' '}
        {links.map((link) => (
          <a key={link.name} href={link.url} download={link.name}>
            {link.name} ({formatBytes(link.bytes)})
          </a>
        ))}
      </p>
      <p className="note">{contents.map((file) => `${file.name} ${formatBytes(file.bytes)}`).join(' · ')}</p>
    </section>
  );
}

function Failure({ run, state }: { readonly run: Run; readonly state: ActionState }) {
  const { error, config } = run;
  const offered = useMemo(
    () => (error ? suggestions(error, config).map((s) => ({ ...s, saves: forecastSaving(run, config, s) })) : []),
    [error, run, config],
  );
  if (!error) return null;
  const family = familyOf(error.code);
  const apply = (suggestion: Suggestion): void => {
    setConfig(suggestion.patch);
    setView('setup');
  };
  return (
    <ErrorCard error={error} safe={run.phase === 'failed' ? safeSentence(run.step, run.savedStep) : undefined}>
      {(family === 'lost' || family === 'fault') && state.device.status !== 'opening' && <ActionButton id="reopen" state={state} />}
      {offered.map((suggestion) => (
        <button type="button" className="button" key={suggestion.label} onClick={() => apply(suggestion)}>
          {suggestion.label}
          {suggestion.saves > 0 && <span className="note"> −{formatBytes(suggestion.saves)} (forecast)</span>}
        </button>
      ))}
      {(family === 'data' || family === 'model') && (
        <button type="button" className="button" onClick={() => chooseAgain(family)}>
          Choose another {family === 'data' ? 'data file' : 'model'}
        </button>
      )}
      <ActionButton id="settings" state={state}>
        Change the settings
      </ActionButton>
    </ErrorCard>
  );
}

function chooseAgain(family: 'data' | 'model'): void {
  setView('setup');
  requestAnimationFrame(() => focusField(family));
}

/** Bytes that a change would save by the forecast; 0 where nothing is known or nothing is saved. */
function forecastSaving(run: Run, config: RunConfig, { patch }: Suggestion): number {
  if (!run.prepared) return 0;
  const { shape } = run.prepared;
  const now = forecastsFor(shape, config).forecasts?.[config.method].total ?? 0;
  const then = forecastsFor(shape, { ...config, ...patch }).forecasts?.[patch.method ?? config.method].total ?? now;
  return now - then;
}
