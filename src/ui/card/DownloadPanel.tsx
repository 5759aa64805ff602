// "Take it with you": everything that a run can be taken away as, in one place. The model itself is there only as long as
// the page that trained it; numbers and card come from the picture, of a past run too.

import { elsewhereFiles } from '../../export/elsewhere/elsewhere';
import { downloadName, saveFile, saveTexts } from '../../store/run/download';
import { useHistoryStore } from '../../store/history/history';
import type { RunPicture } from '../../store/run/picture';
import { isDownload, type Exported } from '../../store/run/run';
import type { ActionId, ActionState } from '../actions';
import { ActionButton } from '../parts/Button';
import { Panel } from '../parts/Panel';
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
  const { prepared } = run;
  if (!prepared || metrics.step.length === 0) return null;
  const { layers } = prepared.shape;
  const name = summary?.name ?? downloadName(prepared.modelName, run.config.method, run.step);
  const saveCard = (): void => {
    // A run that the history could not keep is one of today.
    const date = new Date(summary?.startedAt ?? Date.now()).toLocaleString('en-GB', { dateStyle: 'long', timeStyle: 'short' });
    const card = runCardHtml(picture, { name, date });
    if (card !== null) saveFile(`${name}.html`, card, 'text/html');
  };
  return (
    <Panel
      title="Take it with you"
      hint={kind === 'live' ? undefined : 'The model itself can be downloaded only in the page that trained it.'}
    >
      <ul className="take">
        {kind === 'live' && run.phase === 'done' && (
          <>
            <ModelFile
              id="download"
              state={state}
              exported={run.exported.model}
              what="Weights, config and tokenizer in Hugging Face layout; one zip, or separate files where they are too large for one."
            />
            <ModelFile
              id="downloadDelta"
              state={state}
              exported={run.exported.delta}
              what="Only the tensors that training changed, to be laid over the base model."
            />
            <GgufExport run={run} />
          </>
        )}
        <li>
          <p className="note">One page with curve, layers, memory, samples and settings. It needs no network and no script.</p>
          <button type="button" className="button" onClick={saveCard}>
            Run card (HTML)
          </button>
        </li>
        <li>
          <p className="note">A line a step, with the fields of the command line’s metrics.jsonl.</p>
          <button
            type="button"
            className="button"
            onClick={() => saveFile(`${name}.jsonl`, metricsJsonl(metrics, layers), 'application/jsonl')}
          >
            Metrics (JSONL)
          </button>
        </li>
        <li>
          <p className="note">The same numbers as a table, held-out losses too.</p>
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
            When one machine is too small: the same run as an axolotl YAML and an LMFlow script for several GPUs, and what those do
            otherwise.
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
