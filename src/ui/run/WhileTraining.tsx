// What the page may do while a run trains: keep the screen on, run slower, pause on a low battery, and notify at the end.

import { useState } from 'react';
import { LEAST_BATTERY, usePower } from '../../store/run/power';
import { setPreference, usePreferences } from '../../store/preferences';
import { formatPercent } from '../format';
import { Panel } from '../widgets/Panel';
import { Switch } from '../widgets/fields';
import { askToNotify, canNotify } from './end-notification';
import { canWakeLock } from './wake-lock';

export function WhileTraining() {
  const { wakeLock, notify, gentle, batteryPause } = usePreferences();
  const hasBattery = usePower(({ battery }) => battery !== null);
  const [refused, setRefused] = useState(false);
  const setNotify = async (wanted: boolean): Promise<void> => {
    const allowed = !wanted || (await askToNotify());
    setRefused(!allowed);
    setPreference({ notify: wanted && allowed });
  };
  return (
    <Panel title="While it trains">
      <div className="switches">
        {canWakeLock() && <Switch label="Keep the screen on" checked={wakeLock} onChange={(on) => setPreference({ wakeLock: on })} />}
        {canNotify() && <Switch label="Notify me when it ends" checked={notify} onChange={(on) => void setNotify(on)} />}
        <Switch label="Run at half speed" checked={gentle} onChange={(on) => setPreference({ gentle: on })} />
        {hasBattery && (
          <Switch
            label={`Pause below ${formatPercent(LEAST_BATTERY)} battery`}
            checked={batteryPause}
            onChange={(on) => setPreference({ batteryPause: on })}
          />
        )}
      </div>
      {refused && (
        <p className="note">The browser does not allow notifications from this page. You can change that in its site settings.</p>
      )}
      {gentle && (
        <p className="note">
          After each step it rests as long as the step took, to keep the machine cool. Times and tokens per second include the rests.
        </p>
      )}
      <p className="note">It keeps training in a background tab, but browsers slow hidden tabs down.</p>
    </Panel>
  );
}
