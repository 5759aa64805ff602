// The end of a successful run: its result, and the two next steps, compare and download. All downloads are listed at the bottom
// of the page.

import { runMetrics } from '../../store/run/metrics';
import { exportedLoss, isDownload, type Exported, type Run } from '../../store/run/run';
import type { ActionState } from '../actions';
import { formatBytes, formatDuration, formatLoss, plural } from '../format';
import { METHOD_NAMES } from '../labels';
import { ActionButton } from '../widgets/Button';
import { StoredModel } from './StoredModel';

interface EndedProps {
  readonly run: Run;
  readonly state: ActionState;
}

export function Ended({ run, state }: EndedProps) {
  const { stopped, step, config, evals } = run;
  const trainedMs = runMetrics()
    .stepMs.values()
    .reduce((sum, ms) => sum + ms, 0);
  const [first, last] = [evals[0], evals.at(-1)];
  const exported = exportedLoss(run);
  return (
    <section className="card ended" aria-label="Result" data-ended={stopped ? 'stopped' : 'done'}>
      <h2>{stopped ? 'Stopped and kept' : 'The model is tuned'}</h2>
      <p>
        {METHOD_NAMES[config.method]} trained {plural(step, 'step')}
        {trainedMs > 0 && ` in ${formatDuration(trainedMs)}`}.
        {first && last && first !== last && ` Evaluation loss ${formatLoss(first.loss)} → ${formatLoss(last.loss)}.`}
        {exported !== null && ` The exported model, which has full precision, has ${formatLoss(exported)}.`}
      </p>
      <StoredModel run={run} />
      <div className="buttons">
        <ActionButton id="compare" state={state} primary />
        <ActionButton id="download" state={state} />
      </div>
      <Files exported={run.exported.model} />
    </section>
  );
}

/** Files that the browser has downloaded; the links download them again. */
function Files({ exported }: { readonly exported: Exported }) {
  if (!isDownload(exported)) return null;
  const { links, contents } = exported;
  return (
    <div className="files">
      <p>
        Downloaded:{' '}
        {links.map((link) => (
          <a key={link.name} href={link.url} download={link.name}>
            {link.name} ({formatBytes(link.bytes)})
          </a>
        ))}
      </p>
      <p className="note">{contents.map((file) => `${file.name} ${formatBytes(file.bytes)}`).join(' · ')}</p>
    </div>
  );
}
