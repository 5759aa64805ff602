// The end of a successful run: what it gave, in figures and in answers, how each layer moved, and what can be done next. All
// downloads are listed at the bottom of the page.

import type { RunPicture } from '../../store/run/picture';
import { isDownload, type Exported } from '../../store/run/run';
import type { ActionState } from '../actions';
import { formatBytes, plural } from '../format';
import { METHOD_NAMES } from '../labels';
import { ActionButton } from '../widgets/Button';
import { Answers } from './Answers';
import { LayerShares } from './LayerShares';
import { Repeat } from './Repeat';
import { ResultFigures } from './ResultFigures';
import { StoredModel } from './StoredModel';
import '../styles/ended.css';

interface EndedProps {
  readonly picture: RunPicture;
  readonly state: ActionState;
}

export function Ended({ picture, state }: EndedProps) {
  const { run } = picture;
  const { stopped, step, config } = run;
  return (
    <section className="card ended" aria-label="Result" data-ended={stopped ? 'stopped' : 'done'}>
      <h2>
        {stopped ? 'Stopped and kept' : 'The model is tuned'}{' '}
        <span className="note">
          {METHOD_NAMES[config.method]}, {plural(step, 'step')}, {config.model} on {config.data}
        </span>
      </h2>
      <ResultFigures picture={picture} />
      <Answers run={run} />
      <div className="buttons">
        <ActionButton id="compare" state={state} primary />
        <ActionButton id="download" state={state} />
        <Repeat run={run} state={state} />
      </div>
      <StoredModel run={run} />
      <Files exported={run.exported.model} />
      <LayerShares picture={picture} />
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
