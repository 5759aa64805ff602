// Before there is anything to draw: what is being done, in the room that the curves will take.

import type { Run } from '../../store/run/run';
import type { Phase } from '../../train/events';
import { formatPercent } from '../format';
import { PHASE_NAMES } from '../labels';
import { Panel } from '../parts/Panel';

const WHAT: Readonly<Partial<Record<Phase, string>>> = {
  opening: 'The browser hands over the GPU.',
  loading: 'Model, tokenizer and data are read and checked. Nothing leaves this machine.',
  preparing: 'Buffers are allocated once for the whole run, and kernels are compiled and measured.',
};

export function Starting({ run: { phase, fraction } }: { readonly run: Run }) {
  return (
    <Panel title={phase === 'failed' ? 'Nothing was trained' : PHASE_NAMES[phase]} className="starting">
      <p className="note">
        {phase === 'loading' && fraction !== null
          ? `Weights go to the GPU: ${formatPercent(fraction)}.`
          : (WHAT[phase] ?? 'The run ended before it was ready.')}
      </p>
    </Panel>
  );
}
