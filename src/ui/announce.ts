// What a screen reader announces about a run: changes of phase, and every tenth of the steps. Pure.

import type { FinishedRun } from '../io/sources/finished';
import { isUnstored } from '../store/run/finished';
import { isActive, type Run } from '../store/run/run';
import type { Phase } from '../train/events';
import { formatList, formatLoss, plural } from './format';
import { blockTitle, PHASE_NAMES } from './labels';

const tenths = (run: Run): number => Math.floor((run.step / run.config.steps) * 10);

/** Between two steps a run may evaluate, sample and save; that is not worth announcing. */
const AT_WORK: readonly Phase[] = ['training', 'evaluating', 'sampling', 'saving'];

/** The sentence for this change, or null when it is not worth one. */
export function announcement(before: Run | null, now: Run | null): string | null {
  if (!now) return null;
  if (!before || before.runId !== now.runId) return phaseSentence(now);
  if (now.saveError && now.saveError !== before.saveError) return `The checkpoint could not be written. ${now.saveError.detail}`;
  if (now.verified && now.verified !== before.verified) return verifiedSentence(now.verified);
  if (before.phase !== now.phase) {
    const busy = before.step > 0 && AT_WORK.includes(before.phase) && AT_WORK.includes(now.phase);
    return busy ? null : phaseSentence(now);
  }
  if (tenths(now) > tenths(before)) return `${tenths(now) * 10} percent: step ${now.step} of ${now.config.steps}.`;
  return null;
}

/** The answer to "are the frozen layers unchanged?". */
export function verifiedSentence({ step, frozen, changed }: NonNullable<Run['verified']>): string {
  if (changed.length > 0)
    return `After step ${step}, ${blocks(changed.length)} changed although frozen: ${formatList(changed.map(blockTitle))}.`;
  if (frozen.length === 0) return `After step ${step} no block is frozen, so there is nothing to compare.`;
  if (frozen.length === 1) return `After step ${step}, the one frozen block is unchanged, bit for bit.`;
  return `After step ${step}, all ${frozen.length} frozen blocks are unchanged, bit for bit.`;
}

const blocks = (count: number): string => plural(count, 'block');

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

/** Leaving the page would lose steps that are not saved yet, or a model that is stored nowhere. */
export const wouldLose = (run: Run | null, stored: FinishedRun | null): boolean =>
  run !== null && (isActive(run) || isUnstored(run, stored));
