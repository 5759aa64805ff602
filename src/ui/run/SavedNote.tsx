// Which step of a run is on disk, and since when.

import type { Run } from '../../store/run/run';
import { formatCount, formatRoughly } from '../format';
import { useNow, useSavedAt } from './saved-at';

export function SavedNote({ run }: { readonly run: Run }) {
  const { saved } = useSavedAt();
  const now = useNow(1000);
  const { savedStep: step, asked, phase, saveError, runId } = run;
  const words = (): string => {
    if (phase === 'saving' || asked === 'save') return 'saving…';
    if (saveError) return 'the last checkpoint could not be written';
    if (step === null) return 'not saved yet';
    const mine = saved?.runId === runId && saved.step === step ? saved : null;
    return `saved at step ${formatCount(step)}${mine ? `, ${formatRoughly(Math.max(0, now - mine.ms))} ago` : ''}`;
  };
  return (
    <span className="saved" data-saved={step ?? ''}>
      {words()}
    </span>
  );
}
