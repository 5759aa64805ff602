// A sample file of each format, one click away from the file picker.

import { saveFile } from '../../store/run/download';
import type { SampleFormat } from './sample-files';

export const SAMPLE_FORMATS = [
  ['jsonl', 'JSONL'],
  ['json', 'JSON'],
  ['csv', 'CSV'],
  ['tsv', 'TSV'],
  ['parquet', 'Parquet'],
  ['txt', 'text'],
] as const satisfies readonly (readonly [SampleFormat, string])[];

async function save(format: SampleFormat): Promise<void> {
  const { sampleFile } = await import('./sample-files');
  const { name, content } = sampleFile(format);
  saveFile(name, content, typeof content === 'string' ? 'text/plain' : 'application/octet-stream');
}

export function SampleFiles() {
  return (
    <p className="note sample-files">
      Sample files:{' '}
      {SAMPLE_FORMATS.map(([format, name]) => (
        <button key={format} type="button" className="link" aria-label={`Download a sample ${name} file`} onClick={() => void save(format)}>
          {name}
        </button>
      ))}
    </p>
  );
}
