// What a screen reader hears of a run: changes of phase, and every tenth part of the way. Pure.

import { isActive, type Run } from '../store/run';
import { formatLoss } from './format';
import { PHASE_NAMES } from './labels';

const tenths = (run: Run): number => Math.floor((run.step / run.config.steps) * 10);

/** The sentence for this change, or null when it is not worth one. */
export function announcement(before: Run | null, now: Run | null): string | null {
  if (!now) return null;
  const fresh = before?.runId !== now.runId;
  if (fresh || before?.phase !== now.phase) return phaseSentence(now);
  if (before && tenths(now) > tenths(before)) return `${tenths(now) * 10} percent: step ${now.step} of ${now.config.steps}.`;
  return null;
}

function phaseSentence(run: Run): string {
  if (run.phase === 'failed') return `The run failed. ${run.error?.detail ?? ''}`.trim();
  if (run.phase === 'done') {
    const last = run.evals.at(-1);
    return `${run.stopped ? 'Stopped' : 'Done'} after ${run.step} steps.${last ? ` Evaluation loss ${formatLoss(last.loss)}.` : ''}`;
  }
  if (run.phase === 'paused') return `Paused after step ${run.step} of ${run.config.steps}.`;
  return `${PHASE_NAMES[run.phase]}.`;
}

export const TITLE = 'LISA Studio';

/** The tab's title: progress first, so that a narrow tab shows it. */
export function tabTitle(run: Run | null): string {
  if (!run) return TITLE;
  if (run.phase === 'failed') return `Failed · ${TITLE}`;
  if (run.phase === 'done') return `${run.stopped ? 'Stopped' : 'Done'} · ${TITLE}`;
  const percent = Math.floor((run.step / run.config.steps) * 100);
  return `${run.phase === 'paused' ? 'Paused ' : ''}${percent} % · ${TITLE}`;
}

/** Leaving the page would lose this. */
export const wouldLose = (run: Run | null): boolean => isActive(run);
