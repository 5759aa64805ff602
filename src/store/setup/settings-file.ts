// Settings to and from a file on the person's disk.

import { MAX_CONFIG_FILE, readConfigFile, writeConfigFile } from '../../config/file';
import { AppError, errorInfo, type ErrorInfo } from '../../base/errors';
import { adoptConfig, useConfigStore } from './config';

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
      /** Names of model and data in the file, where they are not the chosen ones: a page cannot open them by name. */
      readonly elsewhere: readonly string[];
    }
  | { readonly name: string; readonly error: ErrorInfo };

/** Takes the settings over as a whole, or none of them. */
export async function openSettings(file: File): Promise<Opened> {
  try {
    if (file.size > 4 * MAX_CONFIG_FILE)
      throw new AppError('CONFIG_INVALID', `${file.name} is too large for a settings file.`, 'Choose another file.');
    const { config, given } = readConfigFile(await file.text(), file.name);
    const before = useConfigStore.getState().config;
    adoptConfig(config, given);
    const named = [config.model !== before.model && config.model, config.data !== before.data && config.data];
    return { name: file.name, error: null, elsewhere: named.filter((name): name is string => typeof name === 'string' && name !== '') };
  } catch (thrown) {
    return { name: file.name, error: errorInfo(thrown) };
  }
}
