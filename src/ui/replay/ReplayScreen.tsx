// A recorded run, with the same panels as a live one, for a visitor without a GPU or before the first run. It always says that
// it is a recording, and never mixes with live runs.

import { useEffect, useMemo } from 'react';
import type { RunPicture } from '../../store/run/picture';
import {
  openReplay,
  pauseReplay,
  playReplay,
  seekReplay,
  setReplaySpeed,
  SPEEDS,
  useReplayStore,
  type Player,
  type Speed,
} from '../../store/run/replay';
import { setView } from '../../store/run/run';
import type { ActionState } from '../actions';
import { titleOf } from '../error-cards';
import { formatDuration } from '../format';
import { webgpuAdvice } from '../webgpu-advice';
import { ActionButton } from '../widgets/Button';
import { ErrorCard } from '../widgets/ErrorCard';
import { Segmented } from '../widgets/fields';
import { RunView } from '../run/RunView';
import '../styles/replay.css';

const SPEED_NAMES = SPEEDS.map((speed) => [String(speed), `${speed}×`] as const);

export default function ReplayScreen({ state }: { readonly state: ActionState }) {
  const { status, error, player } = useReplayStore();
  useEffect(() => {
    void openReplay(matchMedia('(prefers-reduced-motion: reduce)').matches);
    return pauseReplay;
  }, []);
  return (
    <div className="stage">
      <NoGpu state={state} />
      {status === 'failed' && error && (
        <ErrorCard error={error}>
          <button type="button" className="button" onClick={() => void openReplay(true)}>
            Try again
          </button>
        </ErrorCard>
      )}
      {(status === 'loading' || status === 'idle') && <p className="note screen-wait">Loading the recorded run…</p>}
      {player && <Playing player={player} state={state} />}
    </div>
  );
}

/** For who was led here: why, and the one step that changes it. */
function NoGpu({ state }: { readonly state: ActionState }) {
  if (state.device.status !== 'unavailable') return null;
  const { error } = state.device;
  const step =
    error.code === 'NO_WEBGPU' || error.code === 'NO_ADAPTER' ? webgpuAdvice(navigator.userAgent, isSecureContext) : error.remedy;
  return (
    <aside className="replay-notice" role="status" data-error={error.code}>
      <p>
        <strong>{titleOf(error)}</strong>, so you are watching a recorded run. {step}
      </p>
      <div className="buttons">
        <ActionButton id="reopen" state={state}>
          Try again
        </ActionButton>
        <button type="button" className="button" onClick={() => setView('setup')}>
          Look at the set-up
        </button>
      </div>
    </aside>
  );
}

function Playing({ player, state }: { readonly player: Player; readonly state: ActionState }) {
  const { at, version } = useReplayStore();
  const { run, metrics } = player;
  const picture = useMemo((): RunPicture => ({ run, metrics, version, kind: 'recorded' }), [run, metrics, version]);
  const device = run.prepared?.device;
  return (
    <>
      <section className="replay-head" aria-label="Recorded run">
        <p className="replay-what">
          <strong>A recorded run</strong> from another machine: {device ? `${device.description}, ` : ''}
          {new Date(player.recording.recordedAt).toLocaleDateString('en-GB', { dateStyle: 'long' })}. Every number was measured during that
          run.
        </p>
        <Transport at={at} duration={player.duration} step={run.step} steps={run.config.steps} />
      </section>
      <RunView picture={picture} state={state} />
    </>
  );
}

interface TransportProps {
  readonly at: number;
  readonly duration: number;
  readonly step: number;
  readonly steps: number;
}

function Transport({ at, duration, step, steps }: TransportProps) {
  const { playing, speed } = useReplayStore();
  const words = `${formatDuration(at)} of ${formatDuration(duration)}, step ${step} of ${steps}`;
  return (
    <div className="replay-controls">
      <button type="button" className="button primary replay-play" onClick={playing ? pauseReplay : playReplay}>
        {playing ? 'Pause' : 'Play'}
      </button>
      <input
        type="range"
        className="replay-time"
        aria-label="Time in the recording"
        aria-valuetext={words}
        min={0}
        max={duration}
        step={Math.max(1, Math.round(duration / 500))}
        value={at}
        onChange={({ target }) => seekReplay(Number(target.value))}
      />
      <span className="note replay-words">{words}</span>
      <Segmented
        legend="Speed"
        name="replay-speed"
        value={String(speed)}
        options={SPEED_NAMES}
        onChange={(value) => setReplaySpeed(Number(value) as Speed)}
      />
    </div>
  );
}
