// Brings a field of the form into view and puts the keyboard there.

import { flushSync } from 'react-dom';
import type { ConfigKey } from '../config/run-config';
import { setSetupMode } from '../store/setup/setup-mode';
import { fieldId } from './labels';

export function focusField(key: ConfigKey): void {
  // The simple set-up hides most fields.
  if (!document.getElementById(fieldId(key))) flushSync(() => setSetupMode('advanced'));
  const field = document.getElementById(fieldId(key));
  field?.closest('details')?.setAttribute('open', '');
  field?.scrollIntoView({ block: 'center' });
  field?.focus();
}
