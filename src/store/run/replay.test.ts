import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runEvents } from '../../testing/run-events';
import { decodeRecording, encodeRecording, type Recording } from '../../train/recording';
import { resetMetrics, runMetrics } from './metrics';
import { Player, pauseReplay, playReplay, seekReplay, setReplaySpeed, useReplayStore } from './replay';
import { useRunStore } from './run';

/** One event a second. */
function recording(): Recording {
  const { config, events } = runEvents();
  const timed = events.map((event, i) => ({ at: i * 1000, event }));
  return decodeRecording(encodeRecording({ recordedAt: '2026-11-24T12:00:00.000Z', config, events: timed }));
}

describe('Player', () => {
  it('at its end it shows the whole run', () => {
    const player = new Player(recording());
    player.seek(Infinity);
    expect(player.ended).toBe(true);
    expect(player.run).toMatchObject({ phase: 'done', step: 12, evals: [{ step: 0 }, { step: 12 }] });
    expect(player.metrics.step.length).toBe(12);
    expect(player.metrics.periods).toHaveLength(4);
    expect([...player.metrics.moved.keys()]).toEqual([0, 1, 2, 3]);
  });

  it('a moment is the same, whether it is reached forwards, in small steps or backwards', () => {
    const { duration } = new Player(recording());
    for (const at of [0, 3000, 9500, 14_000]) {
      const once = new Player(recording());
      once.seek(at);
      const slowly = new Player(recording());
      for (let t = 0; t <= at; t += 500) slowly.seek(t);
      const back = new Player(recording());
      back.seek(duration);
      back.seek(at);
      for (const other of [slowly, back]) {
        expect(other.run).toEqual(once.run);
        expect(other.metrics.snapshot()).toEqual(once.metrics.snapshot());
      }
    }
  });

  it('says whether anything changed, and stays within the recording', () => {
    const player = new Player(recording());
    expect(player.seek(0)).toBe(true);
    expect(player.seek(400)).toBe(false);
    expect(player.seek(1000)).toBe(true);
    player.seek(-5);
    expect(player.at).toBe(0);
    expect(player.run.prepared).toBeNull();
  });
});

describe('playing', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    useReplayStore.setState({ status: 'ready', player: new Player(recording()), playing: false, speed: 10, at: 0, version: 0 });
  });
  afterEach(() => {
    pauseReplay();
    vi.useRealTimers();
  });

  it('goes at its speed, stops at the end and begins again', () => {
    playReplay();
    vi.advanceTimersByTime(1000);
    expect(useReplayStore.getState().at).toBeCloseTo(10_000, -1);
    setReplaySpeed(60);
    vi.advanceTimersByTime(1000);
    const { player, playing } = useReplayStore.getState();
    expect(player?.run.phase).toBe('done');
    expect(playing).toBe(false);
    playReplay();
    expect(useReplayStore.getState()).toMatchObject({ playing: true, at: 0 });
  });

  it('leaves the live run alone', () => {
    resetMetrics(5);
    useRunStore.setState({ run: null });
    seekReplay(20_000);
    expect(runMetrics().step.length).toBe(0);
    expect(useRunStore.getState().run).toBeNull();
    expect(useReplayStore.getState().version).toBe(1);
  });
});
