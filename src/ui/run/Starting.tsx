// Before there is anything to draw: what the run is doing, in the place where the curves will be.

import type { Run } from '../../store/run/run';
import type { Phase } from '../../train/events';
import { formatPercent } from '../format';
import { PHASE_NAMES } from '../labels';
import { Panel } from '../widgets/Panel';

const WHAT: Readonly<Partial<Record<Phase, string>>> = {
  opening: 'The browser opens the GPU.',
  loading: 'The model, tokenizer and data are read and checked. Nothing leaves this machine.',
  preparing: 'Buffers are allocated once for the whole run. Kernels are compiled and measured.',
};

export function Starting({ run: { phase, fraction, detail } }: { readonly run: Run }) {
  return (
    <Panel title={phase === 'failed' ? 'Nothing was trained' : PHASE_NAMES[phase]} className="starting">
      <p className="note">
        {phase === 'loading' && fraction !== null
          ? `${detail || 'Copying weights to the GPU'}: ${formatPercent(fraction)}.`
          : (WHAT[phase] ?? 'The run ended before it was ready.')}
      </p>
    </Panel>
  );
}
