// Settings that leave the page and come back: as a link, as a file.

import { useState, type DragEvent } from 'react';
import type { RunConfig } from '../../config/run-config';
import { useConfigStore } from '../../store/setup/config';
import type { Opened } from '../../store/setup/settings-file';
import { linkOf } from '../../store/setup/url';
import { ErrorCard } from '../widgets/ErrorCard';
import { Panel } from '../widgets/Panel';

const WHY =
  'The link in the address bar always holds what differs from the defaults: never your data, the names of your files, or long prompts. The file holds every setting, so that you can repeat a run after the defaults have changed.';

/** Few visitors read or write one. */
const settingsFile = (): Promise<typeof import('../../store/setup/settings-file')> => import('../../store/setup/settings-file');

type Copied = 'no' | 'yes' | 'refused';
const COPY_LABELS: Readonly<Record<Copied, string>> = { no: 'Copy link', yes: 'Link copied', refused: 'Copy it from the address bar' };

export function SettingsFile() {
  const [copied, setCopied] = useState<Copied>('no');
  const [opened, setOpened] = useState<Opened | null>(null);
  const config = useConfigStore((state) => state.config);
  const [over, setOver] = useState(false);
  const copy = (): void => {
    navigator.clipboard.writeText(linkOf()).then(
      () => setCopied('yes'),
      () => setCopied('refused'),
    );
  };
  const open = (file: File | undefined): void => {
    if (file) void settingsFile().then(async ({ openSettings }) => setOpened(await openSettings(file)));
  };
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    open(event.dataTransfer.files[0]);
  };
  return (
    <Panel title="Share and keep" hint="These settings as a link or a file." why={WHY}>
      <div
        className={over ? 'settings-file over' : 'settings-file'}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <div className="buttons">
          <button type="button" className="button small" onClick={copy} onBlur={() => setCopied('no')}>
            {COPY_LABELS[copied]}
          </button>
          <button type="button" className="button small" onClick={() => void settingsFile().then(({ saveSettings }) => saveSettings())}>
            Save as JSON
          </button>
          <label className="file">
            <input
              type="file"
              accept=".json,application/json"
              aria-label="Open a settings file"
              onChange={({ target }) => {
                open(target.files?.[0]);
                // The same file can be chosen again after it was fixed.
                target.value = '';
              }}
            />
            <span className="button small">Open JSON…</span>
          </label>
        </div>
        <p className="note" role="status">
          {openedText(opened, config)}
        </p>
        {opened?.error && <ErrorCard error={opened.error} />}
      </div>
    </Panel>
  );
}

function openedText(opened: Opened | null, config: RunConfig): string {
  if (!opened || opened.error || opened.config !== config) return 'You can also drop a settings file here.';
  return `Settings loaded from ${opened.name}.`;
}
