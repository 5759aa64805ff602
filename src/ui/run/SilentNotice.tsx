// A run whose worker no longer answers: it may be ended, and goes on from its last checkpoint.

import { endSilentRun, useAnswering } from '../../store/run/answering';
import type { Run } from '../../store/run/run';

export function SilentNotice({ run }: { readonly run: Run | null }) {
  const silent = useAnswering((state) => state.silent);
  if (!silent || !run) return null;
  return (
    <section className="card notice" role="alert" data-notice="silent">
      <h2>The training does not answer</h2>
      <p>
        Nothing has been heard of it for 20 seconds. It may be busy, or stuck.{' '}
        {run.savedStep === null ? 'It has no checkpoint yet, so ending it loses it.' : `Its last checkpoint is from step ${run.savedStep}.`}
      </p>
      <div className="buttons">
        <button type="button" className="button" data-action="endSilent" onClick={endSilentRun}>
          End it
        </button>
      </div>
    </section>
  );
}
