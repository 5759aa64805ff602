// Simple or advanced, and the settings that differ from their defaults: counted, listed, and reset one by one or all at once.

import { changedKeys } from '../../config/codec';
import { fieldOf, type RunConfig } from '../../config/run-config';
import { resetConfig, resetSetting } from '../../store/setup/config';
import { setSetupMode, type SetupMode } from '../../store/setup/setup-mode';
import { LABELS } from '../labels';
import { Segmented } from '../widgets/fields';
import { settingText } from '../setting-text';

const MODES = [
  ['simple', 'Simple'],
  ['advanced', 'Advanced'],
] as const;

interface ModeBarProps {
  readonly config: RunConfig;
  readonly mode: SetupMode;
}

export function ModeBar({ config, mode }: ModeBarProps) {
  // Sources are chosen, not set.
  const changed = changedKeys(config).filter((key) => fieldOf(key).scope !== 'source');
  return (
    <div className="panel mode-bar">
      <Segmented legend="Settings shown" name="mode" value={mode} options={MODES} onChange={setSetupMode} />
      {changed.length === 0 ? (
        <p className="note">Everything is at its default.</p>
      ) : (
        <details className="changed">
          <summary>
            {changed.length === 1 ? '1 setting is not at its default' : `${changed.length} settings are not at their defaults`}
          </summary>
          <ul>
            {changed.map((key) => (
              <li key={key}>
                <span>
                  {LABELS[key].label}: <strong>{settingText(key, config)}</strong>
                </span>
                <button type="button" className="button small" aria-label={`Reset ${LABELS[key].label}`} onClick={() => resetSetting(key)}>
                  Reset
                </button>
              </li>
            ))}
          </ul>
          <button type="button" className="button small" onClick={resetConfig}>
            Reset all settings
          </button>
        </details>
      )}
    </div>
  );
}
