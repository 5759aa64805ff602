// What the page may do while a run trains: keep the screen on, and tell when it has ended.

import { useState } from 'react';
import { setPreference, usePreferences } from '../../store/preferences';
import { Panel } from '../parts/Panel';
import { Switch } from '../parts/fields';
import { askToNotify, canNotify } from './end-notification';
import { canWakeLock } from './wake-lock';

export function WhileTraining() {
  const { wakeLock, notify } = usePreferences();
  const [refused, setRefused] = useState(false);
  const setNotify = async (wanted: boolean): Promise<void> => {
    const allowed = !wanted || (await askToNotify());
    setRefused(!allowed);
    setPreference({ notify: wanted && allowed });
  };
  if (!canWakeLock() && !canNotify()) return null;
  return (
    <Panel title="While it trains">
      <div className="switches">
        {canWakeLock() && <Switch label="Keep the screen on" checked={wakeLock} onChange={(on) => setPreference({ wakeLock: on })} />}
        {canNotify() && <Switch label="Notify me when it ends" checked={notify} onChange={(on) => void setNotify(on)} />}
      </div>
      {refused && <p className="note">The browser does not allow notifications from this page; its site settings can change that.</p>}
      <p className="note">It trains on in a background tab, though browsers give hidden tabs less.</p>
    </Panel>
  );
}
