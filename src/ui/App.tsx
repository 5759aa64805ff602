// The page: settings on the left, what they lead to on the right.

import { useState } from 'react';
import { useLivePicture } from '../store/picture';
import { isActive } from '../store/run';
import { ActionBar } from './ActionBar';
import { SHORTCUTS, useActionState, type ActionState } from './actions';
import { webgpuAdvice } from './error-cards';
import { Header } from './Header';
import { useAnnouncement, useLeaveGuard, useShortcuts, useTabTitle } from './page-effects';
import { ActionButton } from './parts/Button';
import { ErrorCard } from './parts/ErrorCard';
import { Switch } from './parts/fields';
import { PreviewView } from './preview/PreviewView';
import { RunSettings } from './run/RunSettings';
import { RunView } from './run/RunView';
import { SetupColumn } from './setup/SetupColumn';

export function App() {
  const state = useActionState();
  const [shortcuts, setShortcuts] = useState(true);
  useShortcuts(shortcuts);
  useTabTitle(state.run);
  useLeaveGuard(state.run);
  const said = useAnnouncement();
  const { run, view, setup } = state;
  const running = view === 'run' && run !== null;
  return (
    <div className="page">
      <Header />
      <main className={running ? 'columns running' : 'columns'}>
        <div className="side">{running ? <RunSettings run={run} /> : <SetupColumn setup={setup} />}</div>
        <div className="stage">
          <ActionBar state={state} />
          <DeviceCard state={state} />
          <ResumeCard state={state} />
          {running ? <LiveRun state={state} /> : <PreviewView setup={setup} />}
        </div>
      </main>
      <footer className="page-foot">
        <p>Nothing leaves this machine: model, data and training stay in this tab.</p>
        <details>
          <summary>Keyboard</summary>
          <dl className="rows">
            {SHORTCUTS.map(({ keys, what }) => (
              <div key={keys}>
                <dt>
                  <kbd>{keys}</kbd>
                </dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
          <Switch label="Use these keys" checked={shortcuts} onChange={setShortcuts} />
        </details>
      </footer>
      <p className="hidden" role="status" aria-live="polite">
        {said}
      </p>
    </div>
  );
}

/** Apart from App, so that new steps draw the run alone. */
function LiveRun({ state }: { readonly state: ActionState }) {
  const picture = useLivePicture();
  return picture && <RunView picture={picture} state={state} />;
}

function DeviceCard({ state }: { readonly state: ActionState }) {
  const { device, run, view } = state;
  if (device.status !== 'unavailable') return null;
  const { error } = device;
  // The run's own card says it already.
  if (view === 'run' && run?.error === error) return null;
  const advice = error.code === 'NO_WEBGPU' || error.code === 'NO_ADAPTER' ? webgpuAdvice(navigator.userAgent, isSecureContext) : undefined;
  return (
    <ErrorCard error={error} advice={advice} safe="The settings and forecasts work without it.">
      <ActionButton id="reopen" state={state}>
        Try again
      </ActionButton>
    </ErrorCard>
  );
}

function ResumeCard({ state }: { readonly state: ActionState }) {
  if (!state.resumable || isActive(state.run)) return null;
  const { config, step, steps } = state.resumable;
  return (
    <section className="card" aria-label="Unfinished run">
      <h2>An unfinished run</h2>
      <p>
        {config.model} on {config.data} was saved at step {step} of {steps}.
      </p>
      <div className="buttons">
        <ActionButton id="resume" state={state} />
      </div>
    </section>
  );
}
