// The four current numbers: loss, held-out loss, time, speed, each with its meaning below. A dash until there is a number.

import type { RunPicture } from '../../store/run/picture';
import { isActive } from '../../store/run/run';
import { formatCount, formatDuration, formatLarge, formatLoss, formatMs } from '../format';
import { speedOf } from '../speed';

interface Fact {
  readonly name: string;
  readonly value: string;
  readonly note: string;
  /** The exact figure. */
  readonly title?: string;
}

export function Facts({ picture }: { readonly picture: RunPicture }) {
  return (
    <dl className="facts-grid">
      {factsOf(picture).map(({ name, value, note, title }) => (
        <div key={name} title={title}>
          <dt>{name}</dt>
          <dd data-fact={name}>{value}</dd>
          <dd className="fact-note">{note}</dd>
        </div>
      ))}
    </dl>
  );
}

function factsOf({ run, metrics }: RunPicture): readonly Fact[] {
  const { config, evals } = run;
  const speed = speedOf(metrics, config.steps - run.step);
  const loss = metrics.loss.last;
  const spentMs = total(metrics.stepMs.values());
  const [firstEval, lastEval] = [evals[0], evals.at(-1)];
  const compared = firstEval && lastEval && firstEval !== lastEval;
  const some = metrics.step.length > 0;
  return [
    {
      name: 'Loss',
      value: formatLoss(loss),
      // A diverging loss has no such number.
      note: Number.isFinite(Math.exp(loss)) ? `≈ choosing among ${formatLarge(Math.exp(loss))} tokens` : '',
      title: Number.isFinite(loss) ? `${loss} (natural logarithm), of step ${metrics.step.last}` : undefined,
    },
    {
      name: 'Evaluation',
      value: compared ? `${formatLoss(firstEval.loss)} → ${formatLoss(lastEval.loss)}` : formatLoss(lastEval?.loss ?? NaN),
      note: lastEval ? (compared ? `steps ${firstEval.step} and ${lastEval.step}` : `after step ${lastEval.step}`) : '',
    },
    isActive(run)
      ? {
          name: 'Training time left',
          value: run.phase === 'paused' ? 'paused' : formatDuration(speed.leftMs),
          note: some ? `${formatDuration(spentMs)} so far` : '',
        }
      : { name: 'Training time', value: formatDuration(spentMs), note: some ? 'without evaluation and samples' : '' },
    {
      name: 'Tokens per second',
      value: formatCount(speed.tokensPerSecond),
      note: some ? `${formatMs(speed.stepMs)} a step` : '',
    },
  ];
}

const total = (values: Float64Array): number => (values.length > 0 ? values.reduce((sum, value) => sum + value, 0) : NaN);
