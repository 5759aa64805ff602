// Says that the run was paused because the battery is low.

import { usePower } from '../../store/run/power';
import type { ActionState } from '../actions';
import { formatPercent } from '../format';
import { ActionButton } from '../widgets/Button';

export function BatteryNotice({ state }: { readonly state: ActionState }) {
  const pausedAt = usePower((power) => power.pausedAt);
  if (pausedAt === null || state.run?.phase !== 'paused') return null;
  return (
    <section className="card notice" role="status" aria-label="Battery" data-notice="battery">
      <p>The battery is at {formatPercent(pausedAt)}, so the run was paused. Plug the machine in, or continue anyway.</p>
      <ActionButton id="continue" state={state} />
    </section>
  );
}
