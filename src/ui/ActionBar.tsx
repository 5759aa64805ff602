// The bar with the state of things and what can be done now: start, or the controls of the run.

import { isActive, type Run } from '../store/run';
import type { ActionState } from './actions';
import { focusField } from './focus';
import { formatCount } from './format';
import { METHOD_NAMES, PHASE_NAMES } from './labels';
import { ActionButton } from './parts/Button';

export function ActionBar({ state }: { readonly state: ActionState }) {
  const { run, view } = state;
  return (
    <div className="action-bar" role="region" aria-label="Controls of the run">
      {view === 'run' && run ? <RunControls run={run} state={state} /> : <StartControls state={state} />}
    </div>
  );
}

function StartControls({ state }: { readonly state: ActionState }) {
  const { start, config } = state.setup;
  const { focus } = start;
  return (
    <>
      <p className="status-line">
        <strong>{METHOD_NAMES[config.method]}</strong> on {config.model || 'no model yet'}, {config.data || 'no data yet'}
        {Number.isFinite(config.steps) && `, ${formatCount(config.steps)} steps`}
      </p>
      <div className="buttons">
        {state.run && <ActionButton id="showRun" state={state} />}
        {start.ready && <ActionButton id="startPaused" state={state} />}
        {focus === null ? (
          <ActionButton id="start" state={state} primary />
        ) : (
          <button type="button" className="button primary wanting" onClick={() => focusField(focus)} data-action="start">
            {start.label}
          </button>
        )}
      </div>
    </>
  );
}

function RunControls({ run, state }: { readonly run: Run; readonly state: ActionState }) {
  const active = isActive(run);
  return (
    <>
      <div className="status-line">
        <p data-phase={run.phase}>
          <strong>{phaseName(run)}</strong>
          {run.detail && ` · ${run.detail}`}{' '}
          <span className="step-count">{`step ${formatCount(run.step)} of ${formatCount(run.config.steps)}`}</span>
        </p>
        <progress max={1} value={progressOf(run)} aria-label={active && run.fraction !== null ? PHASE_NAMES[run.phase] : 'Steps'} />
      </div>
      <div className="buttons">
        {active &&
          (run.phase === 'paused' ? <ActionButton id="continue" state={state} primary /> : <ActionButton id="pause" state={state} />)}
        {active && <ActionButton id="step" state={state} />}
        {active && <ActionButton id="stop" state={state} />}
        {!active && <ActionButton id="settings" state={state} />}
        {run.phase === 'done' && <ActionButton id="download" state={state} primary />}
      </div>
    </>
  );
}

function phaseName(run: Run): string {
  if (run.phase === 'done') return run.stopped ? 'Stopped' : 'Done';
  return PHASE_NAMES[run.phase];
}

/** The phase's own progress where it has one, else that of the steps; unknown while the first step is prepared. */
function progressOf(run: Run): number | undefined {
  if (run.fraction !== null) return run.fraction;
  const settled = run.phase === 'training' || run.phase === 'paused' || !isActive(run);
  return run.step === 0 && !settled ? undefined : run.step / run.config.steps;
}
