// The bar at the bottom: the state of the run, and what can be done now (start it, or control it).

import { useDeviceStore } from '../store/run/device';
import { isActive, type Run } from '../store/run/run';
import type { ActionState } from './actions';
import { focusField } from './focus';
import { formatCount, formatPercent } from './format';
import { METHOD_NAMES, PHASE_NAMES } from './labels';
import { ActionButton } from './widgets/Button';
import { SavedNote } from './run/SavedNote';

export function ActionBar({ state }: { readonly state: ActionState }) {
  const { run, view } = state;
  const controls = view === 'run' && run;
  return (
    <div className={controls ? 'action-bar controls' : 'action-bar'} role="region" aria-label="Controls of the run">
      {controls ? <RunControls run={run} state={state} /> : <StartControls state={state} />}
    </div>
  );
}

function StartControls({ state }: { readonly state: ActionState }) {
  const { start, config } = state.setup;
  const { focus } = start;
  const opening = useDeviceStore(({ device }) => device.status === 'opening');
  const busy = isActive(state.run);
  return (
    <>
      <p className="status-line">
        {busy && state.run ? (
          <>
            <strong>{phaseName(state.run)}</strong>, step {formatCount(state.run.step)} of {formatCount(state.run.config.steps)}. These
            settings are for the next run.
          </>
        ) : (
          <>
            <strong>{METHOD_NAMES[config.method]}</strong> on {config.model || 'no model yet'}, {config.data || 'no data yet'}
            {Number.isFinite(config.steps) && `, ${formatCount(config.steps)} steps`}
          </>
        )}
      </p>
      <div className="buttons">
        {state.run && <ActionButton id="showRun" state={state} primary={busy} />}
        {!busy && (start.ready || opening) && <ActionButton id="startPaused" state={state} />}
        {!busy &&
          (focus === null ? (
            <ActionButton id="start" state={state} primary />
          ) : (
            <button type="button" className="button primary wanting" onClick={() => focusField(focus)} data-action="start">
              {start.label}
            </button>
          ))}
      </div>
    </>
  );
}

function RunControls({ run, state }: { readonly run: Run; readonly state: ActionState }) {
  const active = isActive(run);
  const fraction = active ? run.fraction : null;
  return (
    <>
      <div className="status-line">
        <p className="status-words" data-phase={run.phase}>
          <strong>{phaseName(run)}</strong>
          {run.detail && ` · ${run.detail}`}
          {fraction !== null && ` · ${formatPercent(fraction)}`}{' '}
          <span className="step-count">{`step ${formatCount(run.step)} of ${formatCount(run.config.steps)}`}</span>
        </p>
        <progress max={1} value={progressOf(run)} aria-label={fraction !== null ? PHASE_NAMES[run.phase] : 'Steps'} />
        {active && (
          <p className="note status-more">
            <SavedNote run={run} />
          </p>
        )}
      </div>
      <div className="buttons">
        {active ? (
          <>
            {/* One place for both, so that the buttons beside them stay where they are. */}
            <span className="either">
              {run.phase === 'paused' ? <ActionButton id="continue" state={state} primary /> : <ActionButton id="pause" state={state} />}
            </span>
            <ActionButton id="step" state={state} />
            <span className="either">
              <ActionButton id="save" state={state} />
            </span>
            <ActionButton id="stop" state={state} />
          </>
        ) : (
          <ActionButton id="settings" state={state} />
        )}
      </div>
    </>
  );
}

function phaseName(run: Run): string {
  if (run.phase === 'done') return run.stopped ? 'Stopped' : 'Done';
  if (run.asked === 'stop') return 'Stopping';
  if (run.asked === 'pause') return 'Pausing';
  return PHASE_NAMES[run.phase];
}

/** The phase's own progress if it has one, else that of the steps; unknown while the first step is prepared. */
function progressOf(run: Run): number | undefined {
  if (run.fraction !== null) return run.fraction;
  const settled = run.phase === 'training' || run.phase === 'paused' || !isActive(run);
  return run.step === 0 && !settled ? undefined : run.step / run.config.steps;
}
