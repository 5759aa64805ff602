// The dialogs of the page: how to end a run, and the keys.

import { useEffect, useState } from 'react';
import { isActive } from '../store/run/run';
import { setPreference, usePreferences } from '../store/preferences';
import { ACTIONS, SHORTCUTS, type ActionState } from './actions';
import { closeDialog, useDialog } from '../store/dialog';
import { formatCount } from './format';
import { Dialog } from './widgets/Dialog';
import { Switch } from './widgets/fields';

export default function Dialogs({ state }: { readonly state: ActionState }) {
  const open = useDialog((dialog) => dialog.open);
  // A run may end by itself while the dialog is open.
  const pointless = open === 'stop' && !isActive(state.run);
  useEffect(() => {
    if (pointless) closeDialog();
  }, [pointless]);
  if (open === 'help') return <Help />;
  return open === 'stop' && !pointless ? <Stop state={state} /> : null;
}

function Stop({ state: { run } }: { readonly state: ActionState }) {
  const [sure, setSure] = useState(false);
  if (!run) return null;
  const steps = run.step === 1 ? 'one step' : `${formatCount(run.step)} steps`;
  const end = (action: 'stopKeep' | 'discard'): void => {
    closeDialog();
    ACTIONS[action].run();
  };
  return (
    <Dialog title={sure ? `Discard ${steps}?` : 'Stop this run?'} onClose={closeDialog}>
      {sure ? (
        <p>This deletes the run's weights and its checkpoint. It cannot be undone.</p>
      ) : (
        <p>
          {run.step > 0
            ? `If you keep it, the ${steps} trained so far are evaluated and sampled. Then you can compare and download the model.`
            : 'No step has finished yet, so nothing is lost.'}
        </p>
      )}
      <div className="buttons">
        {sure ? (
          <button type="button" className="button danger" onClick={() => end('discard')}>
            Discard for good
          </button>
        ) : (
          <>
            {run.step > 0 && (
              <button type="button" className="button primary" onClick={() => end('stopKeep')}>
                Stop and keep
              </button>
            )}
            <button type="button" className="button" onClick={() => (run.step > 0 ? setSure(true) : end('discard'))}>
              Discard
            </button>
          </>
        )}
        <button type="button" className="button" onClick={closeDialog}>
          Cancel
        </button>
      </div>
    </Dialog>
  );
}

function Help() {
  const keys = usePreferences((preferences) => preferences.keys);
  return (
    <Dialog title="Keyboard" onClose={closeDialog}>
      <dl className={keys ? 'rows' : 'rows off'}>
        {SHORTCUTS.map(({ key, name, what }) => (
          <div key={key}>
            <dt>
              <kbd>{name}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <p className="note">In the layer raster the arrow keys move between periods; in the memory grid they move between squares.</p>
      <Switch label="Use these keys" checked={keys} onChange={(on) => setPreference({ keys: on })} />
      <div className="buttons">
        <button type="button" className="button" onClick={closeDialog}>
          Close
        </button>
      </div>
    </Dialog>
  );
}
