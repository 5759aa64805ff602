// What a visitor should know first: no GPU, a run that can be resumed, what happened while the tab was hidden.

import { lazy, Suspense } from 'react';
import { isActive, setView } from '../store/run/run';
import type { ActionState } from './actions';
import { lacksWebGpu } from '../store/run/no-gpu';
import { webgpuAdvice } from './webgpu-advice';
import { ActionButton } from './widgets/Button';
import { ErrorCard } from './widgets/ErrorCard';
import { BatteryNotice } from './run/BatteryNotice';
import { SilentNotice } from './run/SilentNotice';
import { UpdateNotice } from './UpdateNotice';
import { TabNotice } from './run/TabNotice';
import { UnfinishedDownload } from './hub/UnfinishedDownload';

const ResumeCard = lazy(() => import('./run/ResumeCard'));

export function Notices({ state }: { readonly state: ActionState }) {
  return (
    <>
      <DeviceCard state={state} />
      {state.resumable && !isActive(state.run) && (
        <Suspense fallback={null}>
          <ResumeCard resumable={state.resumable} state={state} />
        </Suspense>
      )}
      {state.view === 'setup' && <UnfinishedDownload />}
      <SilentNotice run={state.run} />
      <BatteryNotice state={state} />
      <TabNotice />
      <UpdateNotice state={state} />
    </>
  );
}

function DeviceCard({ state }: { readonly state: ActionState }) {
  const { device, run, view } = state;
  if (device.status !== 'unavailable') return null;
  const { error } = device;
  // The run's own card already says so.
  if (view === 'run' && run?.error === error) return null;
  const advice = lacksWebGpu() ? webgpuAdvice(navigator.userAgent, isSecureContext) : undefined;
  return (
    <ErrorCard error={error} advice={advice} safe="The settings and forecasts work without it.">
      <ActionButton id="reopen" state={state}>
        Try again
      </ActionButton>
      <button type="button" className="button" onClick={() => setView('replay')}>
        Watch a recorded run
      </button>
    </ErrorCard>
  );
}
