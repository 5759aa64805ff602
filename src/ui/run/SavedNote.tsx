// Which step of a run is on disk, and since when.

import type { Run } from '../../store/run/run';
import { formatCount, formatRoughly } from '../format';
import { useNow, useSavedAt } from './saved-at';

export function SavedNote({ run }: { readonly run: Run }) {
  const { saved } = useSavedAt();
  const now = useNow(1000);
  const { savedStep, asked, phase, saveError, prepared, runId } = run;
  const words = (): string => {
    if (phase === 'saving' || asked === 'save') return 'saving…';
    if (saveError) return 'the last checkpoint could not be written';
    // A resumed run starts at its checkpoint.
    const step = savedStep ?? (prepared && prepared.firstStep > 1 ? prepared.firstStep - 1 : null);
    if (step === null) return 'not saved yet';
    const mine = saved?.runId === runId && saved.step === step ? saved : null;
    return `saved at step ${formatCount(step)}${mine ? `, ${formatRoughly(Math.max(0, now - mine.ms))} ago` : ''}`;
  };
  return (
    <span className="saved" data-saved={savedStep ?? ''}>
      {words()}
    </span>
  );
}
