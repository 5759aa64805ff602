// Which data: the set that the page ships, or a file.

import { chooseDataFile, setDataKind, useSourcesStore } from '../../store/sources';
import { formatBytes } from '../format';
import { fieldId } from '../labels';
import { Panel } from '../parts/Panel';
import { Segmented } from '../parts/fields';

const KINDS = [
  ['builtin', 'Built-in'],
  ['file', 'File'],
] as const;

export function DataPanel() {
  const { dataKind, file } = useSourcesStore();
  return (
    <Panel title="Data">
      <Segmented legend="Data" name="data" value={dataKind} options={KINDS} onChange={setDataKind} />
      {dataKind === 'builtin' ? (
        <>
          <p className="chosen" id={fieldId('data')} tabIndex={-1}>
            The Devil’s Dictionary
          </p>
          <p className="note">Ambrose Bierce’s definitions, as questions and answers.</p>
        </>
      ) : (
        <>
          <label className="file">
            <input
              id={fieldId('data')}
              type="file"
              accept=".jsonl,.ndjson,.json,.csv,.txt,.text,.md"
              onChange={({ target }) => target.files?.[0] && chooseDataFile(target.files[0])}
            />
            <span className="button">Choose a file…</span>
            <span className="chosen">{file ? file.name : 'None chosen'}</span>
          </label>
          <p className="note">{file ? formatBytes(file.size) : 'JSONL, CSV or plain text. It is read in place and sent nowhere.'}</p>
        </>
      )}
    </Panel>
  );
}
