// A newer version of the page is ready. It waits while a run trains.

import { isActive } from '../store/run/run';
import { takeUpdate, useUpdate } from '../store/offline';
import type { ActionState } from './actions';

export function UpdateNotice({ state }: { readonly state: ActionState }) {
  const waiting = useUpdate((update) => update.waiting);
  if (!waiting || isActive(state.run)) return null;
  return (
    <section className="card" aria-label="Update">
      <p>
        A newer version of this page is ready.{' '}
        <button type="button" className="button small" onClick={takeUpdate}>
          Reload with it
        </button>
      </p>
    </section>
  );
}
