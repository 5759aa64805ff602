// Which data: the built-in set, a file, or a pasted text; and in one line what was found in it.

import { useCallback, useState, type ReactNode } from 'react';
import { suggestColumns } from '../../data/read/columns';
import { DATA_ENDINGS } from '../../data/read/detect-shape';
import { BUILTIN_DATASETS } from '../../io/sources/builtin';
import { useConfigStore, setConfig } from '../../store/setup/config';
import { useInspectStore, type InspectState } from '../../store/setup/inspect';
import {
  chooseBuiltinData,
  chooseDataFile,
  chooseHeldOut,
  mapColumns,
  pasteData,
  setDataKind,
  useSourcesStore,
  type DataKind,
} from '../../store/setup/sources';
import { describeMap } from '../data/column-draft';
import { oneLine } from '../data/data-words';
import { SampleFiles } from '../data/SampleFiles';
import { DropTarget, type DroppedData } from '../data/DropTarget';
import { showPreview } from '../data/show-preview';
import { suggestions } from '../error-cards';
import { formatBytes, formatPercent } from '../format';
import { fieldId } from '../labels';
import { ErrorCard } from '../widgets/ErrorCard';
import { Panel } from '../widgets/Panel';
import { Segmented } from '../widgets/fields';
import { WantedData } from './Wanted';
import '../styles/data.css';

const KINDS = [
  ['builtin', 'Built-in'],
  ['file', 'File'],
  ['paste', 'Paste'],
] as const;

const ACCEPT = DATA_ENDINGS.map((ending) => `.${ending}`).join(',');

const WHY =
  'The model learns to write like these texts: questions with answers, chats, or plain text. Some rows are held out: the loss on them tells learning from memorising. The file stays on your machine.';

export function DataPanel() {
  const { dataKind, builtin, picked, pasted } = useSourcesStore();
  const [dropProblem, setDropProblem] = useState<string | null>(null);
  const onDrop = useCallback((dropped: DroppedData) => {
    setDropProblem('problem' in dropped ? dropped.problem : null);
    if ('file' in dropped) chooseDataFile(dropped.file);
  }, []);
  const choose = (kind: DataKind): void => {
    setDropProblem(null);
    setDataKind(kind);
  };
  return (
    <Panel title="Data" hint="The text to learn from." why={WHY}>
      <Segmented legend="Data" name="data" value={dataKind} options={KINDS} onChange={choose} />
      {dataKind === 'builtin' && (
        <div className="field">
          <select
            id={fieldId('data')}
            aria-label="Built-in data"
            value={builtin.id}
            onChange={({ target }) => chooseBuiltinData(target.value)}
          >
            {BUILTIN_DATASETS.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
          <p className="note">{builtin.about}</p>
        </div>
      )}
      <WantedData />
      {dataKind === 'file' && <PickedFile file={picked} onPick={(file) => onDrop({ file })} />}
      {dataKind === 'paste' && <Pasted text={pasted} />}
      {dataKind !== 'builtin' && <HeldOut />}
      {dropProblem && (
        <p className="note fault" role="alert">
          {dropProblem}
        </p>
      )}
      <Result />
      <DropTarget onDrop={onDrop} />
    </Panel>
  );
}

function PickedFile({ file, onPick }: { readonly file: File | null; readonly onPick: (file: File) => void }) {
  return (
    <div>
      <label className="file">
        <input id={fieldId('data')} type="file" accept={ACCEPT} onChange={({ target }) => target.files?.[0] && onPick(target.files[0])} />
        <span className="button">Choose a file…</span>
        <span className="chosen">{file ? file.name : 'None chosen'}</span>
      </label>
      <p className="note">
        {file
          ? formatBytes(file.size)
          : 'JSONL, CSV, Parquet or plain text. You can also drop a file here. It is read in place and sent nowhere.'}
      </p>
      {!file && <SampleFiles />}
    </div>
  );
}

/** A file to evaluate on; without one a share of the rows. */
function HeldOut() {
  const heldOut = useSourcesStore((state) => state.heldOut);
  const share = useConfigStore((state) => state.config.evalSplit);
  return (
    <div className="held-out">
      <label className="file">
        <input
          id={fieldId('evalData')}
          type="file"
          accept={ACCEPT}
          onChange={({ target }) => {
            if (target.files?.[0]) chooseHeldOut(target.files[0]);
            // The same file can be chosen again after it was removed.
            target.value = '';
          }}
        />
        <span className="button">Held-out file…</span>
        <span className="chosen">{heldOut ? heldOut.name : share > 0 ? `${formatPercent(share)} of the rows` : 'Nothing held out'}</span>
      </label>
      {heldOut && (
        <button type="button" className="link" onClick={() => chooseHeldOut(null)}>
          Hold out a share of the rows instead
        </button>
      )}
    </div>
  );
}

function Pasted({ text }: { readonly text: string }) {
  return (
    <div className="field">
      <label htmlFor={fieldId('data')}>Rows or text</label>
      <textarea
        id={fieldId('data')}
        className="pasted"
        rows={5}
        spellCheck={false}
        value={text}
        placeholder={'question,answer\nWhat is a bore?,A person who talks when you wish him to listen.'}
        onChange={({ target }) => pasteData(target.value)}
      />
    </div>
  );
}

/** One line that is always there, and below it what keeps a run from using the data. */
function Result() {
  const inspect = useInspectStore();
  const config = useConfigStore((state) => state.config);
  const builtin = useSourcesStore((state) => state.dataKind === 'builtin' && state.modelKind === 'builtin');
  // With the built-in model, built-in data is read as soon as the page can; its line has its place before.
  if (inspect.status === 'idle' && !builtin) return null;
  const { preview } = inspect;
  const problem = inspect.error ?? (inspect.status === 'ready' ? preview?.refusal : null);
  const unmapped = preview?.format === null && preview.columns.length > 0;
  const suggestion = unmapped && config.columns === null ? suggestColumns(preview.columns) : null;
  const fixes: ReactNode[] = suggestion
    ? [
        <button key="map" type="button" className="button" onClick={() => mapColumns(suggestion)}>
          Read {describeMap(suggestion)}
        </button>,
      ]
    : problem && preview && preview.format !== null
      ? suggestions(problem, config).map(({ label, patch }) => (
          <button key={label} type="button" className="button" onClick={() => setConfig(patch)}>
            {label}
          </button>
        ))
      : [];
  return (
    <>
      <p className="data-line">
        <span>{line(inspect)}</span>
        {inspect.status !== 'failed' && (
          <button type="button" className="link" onClick={showPreview}>
            Look at the rows
          </button>
        )}
      </p>
      {problem && (
        <ErrorCard error={problem} advice={unmapped ? 'Map the columns under “The data”.' : undefined}>
          {fixes.length > 0 && fixes}
        </ErrorCard>
      )}
    </>
  );
}

function line({ status, preview, fraction }: InspectState): string {
  if (status === 'failed') return 'The data cannot be read.';
  if (status === 'idle') return 'Reading…';
  if (status === 'asking' && !preview) return fraction === null ? 'Reading…' : `Counting… ${formatPercent(fraction)}`;
  return preview ? oneLine(preview) : '';
}
