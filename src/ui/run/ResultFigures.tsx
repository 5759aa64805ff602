// Three figures of an ended run: the held-out loss before and after, the memory against full fine-tuning, and the time.

import type { RunPicture } from '../../store/run/picture';
import { formatBytes, formatDuration, formatLarge, formatLoss } from '../format';
import { difference } from '../receipt';

export function ResultFigures({ picture: { run, metrics } }: { readonly picture: RunPicture }) {
  const { evals, report, config, prepared } = run;
  const [first, last] = [evals[0], evals.at(-1)];
  const peak = report?.memory.peak.total ?? null;
  const full = report?.memory.fullForecast.total ?? prepared?.forecasts.full.total ?? null;
  const ms = metrics.stepMs.values().reduce((sum, value) => sum + value, 0);
  return (
    <dl className="result-figures">
      <div>
        <dt>Held-out loss</dt>
        <dd>
          {formatLoss(first?.loss ?? NaN)} → {formatLoss(last?.loss ?? NaN)}
        </dd>
        <dd className="note">
          {first && last && first !== last
            ? `≈ choosing among ${formatLarge(Math.exp(first.loss))} tokens before, ${formatLarge(Math.exp(last.loss))} after`
            : 'nothing was held out'}
        </dd>
      </div>
      <div>
        <dt>Peak memory</dt>
        <dd>{peak === null ? '–' : formatBytes(peak)}</dd>
        <dd className="note">
          {peak !== null && full !== null && config.method !== 'full'
            ? `measured; ${difference(peak, full)} than full fine-tuning (${formatBytes(full)}, forecast)`
            : 'measured'}
        </dd>
      </div>
      <div>
        <dt>Training time</dt>
        <dd>{formatDuration(ms)}</dd>
        <dd className="note">without evaluation and samples</dd>
      </div>
    </dl>
  );
}
