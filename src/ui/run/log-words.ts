// An event of a run as a sentence for the list of events. Pure.

import type { RunEvent } from '../../train/events';
import { formatCount, formatLoss, plural } from '../format';
import { PHASE_NAMES } from '../labels';

export function logWords(event: RunEvent): string {
  switch (event.type) {
    case 'phase':
      return event.detail ? `${PHASE_NAMES[event.phase]}: ${event.detail}` : PHASE_NAMES[event.phase];
    case 'prepared':
      return `Ready: ${plural(event.prepared.parameters, 'parameter')}, ${plural(event.prepared.data.rows, 'row')}, starting at step ${formatCount(event.prepared.firstStep)}`;
    case 'eval':
      return `Held-out loss ${formatLoss(event.loss)}${event.weights ? `, of the exported model in ${event.weights}` : ''}`;
    case 'sample':
      return 'A sample was written';
    case 'checkpoint':
      return 'Saved';
    case 'saveFailed':
      return `Not saved: ${event.error.detail}`;
    case 'verified':
      return event.changed.length === 0
        ? `${plural(event.frozen.length, 'frozen block')}: every bit unchanged`
        : `Changed although frozen: ${event.changed.join(', ')}`;
    case 'rounded': {
      const { before, after } = event.rounding;
      const cost = before === null || after === null ? '' : `: held-out loss ${formatLoss(before)} → ${formatLoss(after)}`;
      return `The last layers are stored as those that do not train${cost}`;
    }
    case 'done':
      return event.stopped ? 'Stopped and kept' : 'Done';
    case 'failed':
      return `Failed: ${event.error.detail}`;
    // Shown in the charts, not in the list.
    case 'step':
    case 'moved':
    case 'importance':
      return '';
  }
}
