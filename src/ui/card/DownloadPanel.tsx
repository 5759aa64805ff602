// All downloads of a run in one place. The model comes from the worker, which opens a stored one if need be. Numbers and card come
// from the run's picture, so past runs have them even where the model is gone.

import { elsewhereFiles } from '../../export/elsewhere/elsewhere';
import { downloadName, saveFile, saveTexts } from '../../store/run/download';
import { useHistoryStore } from '../../store/history/history';
import { standingOf, useFinishedStore } from '../../store/run/finished';
import type { RunPicture } from '../../store/run/picture';
import { isDownload, type Exported } from '../../store/run/run';
import type { ActionId, ActionState } from '../actions';
import { ActionButton } from '../widgets/Button';
import { Panel } from '../widgets/Panel';
import { elsewhereFacts } from './elsewhere-facts';
import { GgufExport } from './GgufExport';
import { metricsCsv, metricsJsonl } from './metrics-files';
import { runCardHtml } from './run-card';
import { Saved } from './Saved';
import '../styles/history.css';

interface DownloadPanelProps {
  readonly picture: RunPicture;
  readonly state: ActionState;
}

export function DownloadPanel({ picture, state }: DownloadPanelProps) {
  const { run, metrics, kind } = picture;
  const summary = useHistoryStore(({ runs }) => runs.find(({ runId }) => runId === run.runId));
  const standing = useFinishedStore((store) => standingOf(run, store));
  const { prepared } = run;
  if (!prepared || metrics.step.length === 0) return null;
  const { layers } = prepared.shape;
  const models = kind === 'live' && standing !== 'gone';
  const name = summary?.name ?? downloadName(prepared.modelName, run.config.method, run.step);
  const saveCard = (): void => {
    // If the history could not keep the run, it started today.
    const date = new Date(summary?.startedAt ?? Date.now()).toLocaleString('en-GB', { dateStyle: 'long', timeStyle: 'short' });
    const card = runCardHtml(picture, { name, date });
    if (card !== null) saveFile(`${name}.html`, card, 'text/html');
  };
  return (
    <Panel title="Downloads" hint={models || run.phase !== 'done' ? undefined : 'The model itself is not stored in this browser any more.'}>
      <ul className="take">
        {models && (
          <>
            <ModelFile
              id="download"
              state={state}
              exported={run.exported.model}
              what="Weights, config and tokenizer in Hugging Face layout: one zip, or separate files if they are too large for one."
            />
            <ModelFile
              id="downloadDelta"
              state={state}
              exported={run.exported.delta}
              what="Only the tensors that training changed. Apply them to the base model to get the tuned one."
            />
            <GgufExport run={run} />
          </>
        )}
        <li>
          <p className="note">One page with the loss curve, layers, memory, samples and settings. It works offline and has no scripts.</p>
          <button type="button" className="button" onClick={saveCard}>
            Run card (HTML)
          </button>
        </li>
        <li>
          <p className="note">One line per step, with the same fields as metrics.jsonl of the command line.</p>
          <button
            type="button"
            className="button"
            onClick={() => saveFile(`${name}.jsonl`, metricsJsonl(metrics, layers), 'application/jsonl')}
          >
            Metrics (JSONL)
          </button>
        </li>
        <li>
          <p className="note">The same numbers as a table, with held-out losses.</p>
          <button
            type="button"
            className="button"
            onClick={() => saveFile(`${name}.csv`, metricsCsv(metrics, layers, run.evals), 'text/csv')}
          >
            Metrics (CSV)
          </button>
        </li>
        <li>
          <p className="note">
            If one machine is too small: the same run as an axolotl YAML and an LMFlow script for several GPUs, with a note on what those do
            differently.
          </p>
          <button
            type="button"
            className="button"
            onClick={() => saveTexts(`${name}-elsewhere.zip`, elsewhereFiles(elsewhereFacts(run.config, prepared)))}
          >
            Continue elsewhere (ZIP)
          </button>
        </li>
      </ul>
    </Panel>
  );
}

interface ModelFileProps {
  readonly id: Extract<ActionId, 'download' | 'downloadDelta'>;
  readonly state: ActionState;
  readonly exported: Exported;
  readonly what: string;
}

function ModelFile({ id, state, exported, what }: ModelFileProps) {
  return (
    <li>
      <div>
        <p className="note">{what}</p>
        {isDownload(exported) && <Saved download={exported} />}
      </div>
      <ActionButton id={id} state={state} />
    </li>
  );
}
