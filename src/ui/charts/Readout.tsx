// The line of figures at the crosshair. It has a fixed place, so that nothing jumps. It also takes the keyboard focus: the
// arrow keys move between steps.

import type { KeyboardEvent, ReactNode } from 'react';
import { pointAt, stepOfKey, useCrosshair } from '../../store/run/crosshair';
import { POINTING } from './pointing';
import { readout, type ReadoutInput } from './readout';

interface ChartGroupProps {
  readonly input: ReadoutInput;
  /** Last finished step. */
  readonly latest: number;
  readonly children: ReactNode;
}

/** Charts that share the crosshair, below their readout. */
export function ChartGroup({ input, latest, children }: ChartGroupProps) {
  const { steps } = input.config;
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const to = stepOfKey(event.key, event.shiftKey, useCrosshair.getState().step, latest, steps);
    if (to === undefined) return;
    pointAt(to);
    event.preventDefault();
  };
  return (
    <div className={`chart-group ${POINTING}`} onKeyDown={onKeyDown}>
      <ReadoutLine input={input} />
      {children}
    </div>
  );
}

function ReadoutLine({ input }: Pick<ChartGroupProps, 'input'>) {
  const step = useCrosshair((state) => state.step);
  const { head, parts, meaning } = readout(input, step);
  const sentence = parts.length > 0 ? `${head}: ${parts.join(', ')}.` : `${head}.`;
  return (
    <div
      className="readout"
      role="slider"
      tabIndex={0}
      aria-label="Step in the charts"
      aria-valuemin={0}
      aria-valuemax={input.config.steps}
      // While nobody points, the figures change ten times a second: too often to be read aloud.
      aria-valuenow={step ?? 0}
      aria-valuetext={step === null ? 'the latest step; the arrow keys move between steps' : `${sentence} ${meaning}`}
    >
      <p>
        <strong>{head}</strong>
        {parts.map((part, i) => (
          <span key={i}>
            {i === 0 ? ': ' : ', '}
            <span className="figure">{part}</span>
          </span>
        ))}
      </p>
      <p className="note">{meaning}</p>
    </div>
  );
}
