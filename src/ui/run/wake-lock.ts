// Keeps the screen on while a run works, so that the machine does not fall asleep. Browsers take the lock back whenever the
// page is hidden; it is asked for again when the page is back.

import { useEffect } from 'react';
import { isActive, type Run } from '../../store/run/run';

export const canWakeLock = (): boolean => 'wakeLock' in navigator;

export function useWakeLock(run: Run | null, wanted: boolean): void {
  const hold = wanted && isActive(run) && run?.phase !== 'paused';
  useEffect(() => {
    if (!hold || !canWakeLock()) return;
    let lock: WakeLockSentinel | null = null;
    let over = false;
    const take = async (): Promise<void> => {
      if (document.hidden) return;
      try {
        const taken = await navigator.wakeLock.request('screen');
        if (over) await taken.release();
        else lock = taken;
      } catch {
        // Refused, on low battery for instance: the screen may go dark, and nothing else is lost.
      }
    };
    const onChange = (): void => void take();
    void take();
    document.addEventListener('visibilitychange', onChange);
    return () => {
      over = true;
      document.removeEventListener('visibilitychange', onChange);
      void lock?.release();
    };
  }, [hold]);
}
