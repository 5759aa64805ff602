// "Fit to the budget": the settings that make the run fit, each with what it saves and costs. A person can leave some out; then the others
// are chosen anew. Nothing changes until the settings are taken.

import { useState } from 'react';
import { fieldOf, type ConfigKey, type RunConfig } from '../../config/run-config';
import type { BudgetPlan } from '../../plan/budget';
import { setConfig } from '../../store/setup/config';
import { formatBytes } from '../format';
import { LABELS } from '../labels';
import { ErrorCard } from '../widgets/ErrorCard';
import type { PlannedModel } from './forecast-key';
import { usePlanned } from './planning';

interface FitToBudgetProps {
  readonly budget: number;
  readonly config: RunConfig;
  readonly model: PlannedModel;
}

export function FitToBudget(props: FitToBudgetProps) {
  const [open, setOpen] = useState(false);
  if (!open) {
    return (
      <button type="button" className="button small" onClick={() => setOpen(true)}>
        Fit to the budget
      </button>
    );
  }
  return <Proposal {...props} onClose={() => setOpen(false)} />;
}

/** What a person left out, with the settings that it would have changed. */
interface LeftOut {
  readonly name: string;
  readonly keys: readonly ConfigKey[];
}

const keysOf = (change: Partial<RunConfig>): ConfigKey[] => Object.keys(change) as ConfigKey[];

function Proposal({ budget, config, model, onClose }: FitToBudgetProps & { readonly onClose: () => void }) {
  const [leftOut, setLeftOut] = useState<readonly LeftOut[]>([]);
  const given = leftOut.flatMap(({ keys }) => keys);
  const { answer, error, stale } = usePlanned('fit', 'fit', { model, config, budget, given });
  const take = (plan: BudgetPlan): void => {
    setConfig(plan.steps.reduce<Partial<RunConfig>>((all, { change }) => ({ ...all, ...change }), {}));
    onClose();
  };
  return (
    <section className="fit" aria-label="Fit to the budget" aria-busy={stale}>
      {error && !stale && <ErrorCard error={error} />}
      {stale && <p className="note">Calculating…</p>}
      {answer && !error && !stale && (
        <>
          <p role="status">{verdictOf(answer, budget)}</p>
          {(answer.steps.length > 0 || leftOut.length > 0) && (
            <ul className="proposals">
              {answer.steps.map(({ name, price, change, saves }) => (
                <li key={`${name} ${JSON.stringify(change)}`}>
                  <label>
                    <input type="checkbox" checked onChange={() => setLeftOut([...leftOut, { name, keys: keysOf(change) }])} />
                    <span>
                      {sentence(name)} <span className="note">{settings(change)}</span>
                      <br />
                      <span className="note">
                        saves {formatBytes(saves)}; {price}
                      </span>
                    </span>
                  </label>
                </li>
              ))}
              {leftOut.map((left) => (
                <li key={`left out ${left.name}`}>
                  <label>
                    <input type="checkbox" checked={false} onChange={() => setLeftOut(leftOut.filter((other) => other !== left))} />
                    <span>
                      {sentence(left.name)}{' '}
                      <span className="note">left out: {left.keys.map((key) => LABELS[key].label).join(', ')} stay</span>
                    </span>
                  </label>
                </li>
              ))}
            </ul>
          )}
        </>
      )}
      <div className="buttons">
        {answer && !error && answer.steps.length > 0 && (
          <button type="button" className="button primary small" disabled={stale} onClick={() => take(answer)}>
            Use these settings
          </button>
        )}
        <button type="button" className="button small" onClick={onClose}>
          Close
        </button>
      </div>
    </section>
  );
}

const sentence = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

const settings = (change: Partial<RunConfig>): string =>
  keysOf(change)
    .flatMap((key) =>
      change[key] === null
        ? []
        : fieldOf(key)
            .toFlag(change[key]!)
            .map((value) => `${LABELS[key].label}: ${value}`),
    )
    .join(', ');

function verdictOf({ steps, total, fits }: BudgetPlan, budget: number): string {
  if (!fits)
    return `It does not fit ${formatBytes(budget)}. With every setting that may change it needs ${formatBytes(total)}: this is the smallest budget that would do. A shorter length saves more.`;
  return steps.length === 0
    ? `It fits as it is: ${formatBytes(total)}.`
    : `With these settings it needs ${formatBytes(total)} of ${formatBytes(budget)}.`;
}
