// Settings to and from a file on the person's disk.

import { MAX_CONFIG_FILE, readConfigFile, writeConfigFile } from '../../config/file';
import { AppError, errorInfo, type ErrorInfo } from '../../base/errors';
import type { RunConfig } from '../../config/run-config';
import { adoptConfig, useConfigStore } from './config';
import { wantData, wantModel } from './wanted';

export function saveSettings(): void {
  const { config } = useConfigStore.getState();
  const url = URL.createObjectURL(new Blob([writeConfigFile(config)], { type: 'application/json' }));
  const anchor = document.createElement('a');
  anchor.href = url;
  anchor.download = 'lisa-studio-settings.json';
  anchor.click();
  // The browser has the blob by then; a minute is for slow dialogs.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

export type Opened =
  | {
      readonly name: string;
      readonly error: null;
      /** What the form then was; the message about it goes once that has changed. */
      readonly config: RunConfig;
    }
  | { readonly name: string; readonly error: ErrorInfo };

/** Takes the settings over as a whole, or none of them. Model and data that it names are chosen, or asked for. */
export async function openSettings(file: File): Promise<Opened> {
  try {
    if (file.size > 4 * MAX_CONFIG_FILE)
      throw new AppError('CONFIG_INVALID', `${file.name} is too large for a settings file.`, 'Choose another file.');
    const { config, given } = readConfigFile(await file.text(), file.name);
    adoptConfig(config, given);
    if (given.includes('model')) wantModel(config.model);
    if (given.includes('data')) wantData(config.data);
    return { name: file.name, error: null, config: useConfigStore.getState().config };
  } catch (thrown) {
    return { name: file.name, error: errorInfo(thrown) };
  }
}
