// Links between the screens. With only one screen there is nothing to show.

import { setView } from '../store/run/run';
import type { ActionState } from './actions';
import { SCREENS, screenOf } from './screens';

export function Navigation({ state }: { readonly state: ActionState }) {
  const current = screenOf(state);
  const screens = SCREENS.filter((screen) => screen.available(state));
  return (
    <nav className="screens" aria-label="Screens">
      {screens.length > 1 && (
        <ul>
          {screens.map(({ view, label }) => (
            <li key={view}>
              <button type="button" aria-current={view === current.view ? 'page' : undefined} onClick={() => setView(view)}>
                {label}
              </button>
            </li>
          ))}
        </ul>
      )}
    </nav>
  );
}
