// The numbers of the moment: loss, speed, time left, learning rate, gradient norm. A dash until there is one.

import type { RunPicture } from '../../store/picture';
import { isActive } from '../../store/run';
import { formatCount, formatDuration, formatLarge, formatLoss, formatMs, formatPercent, formatRate } from '../format';
import { speedOf } from '../speed';

export function Facts({ picture: { run, metrics } }: { readonly picture: RunPicture }) {
  const { prepared, config, evals } = run;
  const speed = speedOf(metrics, config.steps - run.step);
  const loss = metrics.loss.last;
  const firstEval = evals[0];
  const lastEval = evals.at(-1);
  const facts: readonly (readonly [string, string, string?])[] = [
    [
      'Loss',
      formatLoss(loss),
      Number.isFinite(loss) ? `like choosing among ${formatCount(Math.exp(loss))} equally likely tokens` : undefined,
    ],
    [
      'Evaluation',
      firstEval && lastEval && firstEval !== lastEval
        ? `${formatLoss(firstEval.loss)} → ${formatLoss(lastEval.loss)}`
        : formatLoss(lastEval?.loss ?? NaN),
    ],
    ['Tokens per second', formatCount(speed.tokensPerSecond)],
    ['Step', formatMs(speed.stepMs)],
    isActive(run)
      ? ['Training time left', run.phase === 'paused' ? 'paused' : formatDuration(speed.leftMs)]
      : ['Training time', formatDuration(total(metrics.stepMs.values()))],
    ['Learning rate', formatRate(metrics.lr.last)],
    ['Gradient norm', Number.isFinite(metrics.gradNorm.last) ? metrics.gradNorm.last.toPrecision(3) : '–'],
    [
      'Trained in a step',
      prepared ? `${formatLarge(prepared.trainable)} · ${formatPercent(prepared.trainable / prepared.parameters)}` : '–',
      prepared ? `${formatCount(prepared.trainable)} of ${formatCount(prepared.parameters)} parameters` : undefined,
    ],
  ];
  return (
    <dl className="facts-grid">
      {facts.map(([name, value, title]) => (
        <div key={name} title={title}>
          <dt>{name}</dt>
          <dd data-fact={name}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

const total = (values: Float64Array): number => (values.length > 0 ? values.reduce((sum, value) => sum + value, 0) : NaN);
