// Brings a field of the form into view and puts the keyboard there.

import type { ConfigKey } from '../config';
import { fieldId } from './labels';

export function focusField(key: ConfigKey): void {
  const field = document.getElementById(fieldId(key));
  field?.closest('details')?.setAttribute('open', '');
  field?.scrollIntoView({ block: 'center' });
  field?.focus();
}
