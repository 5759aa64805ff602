// A button of the actions table, which gives its label, state and effect.

import type { ReactNode } from 'react';
import { ACTIONS, type ActionId, type ActionState } from '../actions';

interface ActionButtonProps {
  readonly id: ActionId;
  readonly state: ActionState;
  readonly primary?: boolean;
  readonly quiet?: boolean;
  readonly children?: ReactNode;
}

export function ActionButton({ id, state, primary = false, quiet = false, children }: ActionButtonProps) {
  const action = ACTIONS[id];
  return (
    <button
      type="button"
      className={`button${primary ? ' primary' : ''}${quiet ? ' quiet' : ''}`}
      disabled={!action.enabled(state)}
      onClick={action.run}
      data-action={id}
    >
      {children ?? action.label(state)}
    </button>
  );
}
