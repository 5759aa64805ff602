// The sentence that compares measured bytes with forecast ones, and says which is which. Pure.

import type { Method } from '../config/run-config';
import { formatBytes, formatPercent } from './format';
import { METHOD_NAMES } from './labels';

/** "41 % less", "3 % more", "the same". */
export function difference(bytes: number, than: number): string {
  const share = 1 - bytes / than;
  if (Math.round(Math.abs(share) * 100) === 0) return 'the same';
  return `${formatPercent(Math.abs(share))} ${share > 0 ? 'less' : 'more'}`;
}

/** `ended`: the peak is that of the whole run. Before the end, it is the highest reading after any step so far. */
export function measuredReceipt(method: Method, peak: number, fullForecast: number, ended: boolean): string {
  const measured = ended ? `Peak ${formatBytes(peak)} measured` : `${formatBytes(peak)} measured so far`;
  if (method === 'full') return `${measured}; the forecast was ${formatBytes(fullForecast)}.`;
  return `${measured}; full fine-tuning would need ${formatBytes(fullForecast)} (forecast): ${difference(peak, fullForecast)}.`;
}

export function forecastReceipt(method: Method, bytes: number, fullForecast: number): string {
  if (method === 'full') return `Full fine-tuning needs ${formatBytes(fullForecast)} (forecast).`;
  return `${METHOD_NAMES[method]} needs ${formatBytes(bytes)} instead of ${formatBytes(fullForecast)} for full fine-tuning (forecast): ${difference(bytes, fullForecast)}.`;
}
