// Watches the tab while a run trains: hidden, shown again, asleep. What it found is shown once the person is back.

import { useEffect } from 'react';
import { create } from 'zustand';
import { runMetrics } from '../../store/run/metrics';
import { isActive, type Run } from '../../store/run/run';
import { absenceSentences, TabLog } from './background';

const BEAT_MS = 10_000;

export const useTabNotice = create<{ readonly sentences: readonly string[] }>(() => ({ sentences: [] }));

export const dismissTabNotice = (): void => useTabNotice.setState({ sentences: [] });

export function useTabWatch(run: Run | null): void {
  const runId = run?.runId;
  // A pause does not count as slow training.
  const working = isActive(run) && run?.phase !== 'paused' && run?.prepared !== null;
  useEffect(() => dismissTabNotice, [runId]);
  useEffect(() => {
    if (!working) return;
    const log = new TabLog(runMetrics().stepMs, Date.now(), document.hidden);
    const tell = (): void => {
      const absence = log.show(Date.now());
      const sentences = absence ? absenceSentences(absence) : [];
      if (sentences.length > 0) useTabNotice.setState({ sentences });
    };
    const onChange = (): void => (document.hidden ? log.hide(Date.now()) : tell());
    const beats = setInterval(() => log.beat(Date.now()), BEAT_MS);
    document.addEventListener('visibilitychange', onChange);
    return () => {
      clearInterval(beats);
      document.removeEventListener('visibilitychange', onChange);
      // It ended while hidden, so the absence ended then, as far as the run knows.
      tell();
    };
  }, [runId, working]);
}
