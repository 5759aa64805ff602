// Beside γ and K: how many layers the run will ever train, and one click to each way of reaching the others.

import { setConfig } from '../../store/setup/config';
import type { Setup } from '../setup-state';
import { coverageAdvice } from './coverage';

export function Coverage({ setup: { config, shape } }: { readonly setup: Setup }) {
  const advice = shape && coverageAdvice(shape.layers, config);
  if (!advice) return null;
  return (
    <div className={advice.suggestions.length > 0 ? 'coverage wanting' : 'coverage'} role="status">
      <p>{advice.sentence}</p>
      {advice.suggestions.length > 0 && (
        <div className="buttons">
          {advice.suggestions.map(({ label, patch }) => (
            <button key={label} type="button" className="button small" onClick={() => setConfig(patch)}>
              Take {label}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
