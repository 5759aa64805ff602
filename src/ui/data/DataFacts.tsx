// The counts of the data in words, each with what can be done about it.

import type { RunConfig } from '../../config/run-config';
import type { DataPreview } from '../../data/sample/preview';
import { setConfig } from '../../store/setup/config';
import { facts, type Fact } from './data-words';

interface DataFactsProps {
  readonly preview: DataPreview;
  readonly config: RunConfig;
  readonly ownEvaluation: boolean;
}

export function DataFacts({ preview, config, ownEvaluation }: DataFactsProps) {
  const { seqLen, dedupe, badRows } = config;
  return (
    <dl className="data-facts">
      {facts(preview, { seqLen, dedupe, badRows, ownEvaluation }).map((fact) => (
        <div key={fact.id} data-notable={fact.notable || undefined}>
          <dt>{fact.name}</dt>
          <dd>
            {fact.text} <Remedy fact={fact} preview={preview} config={config} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Remedy({
  fact: { id },
  preview: { counts },
  config: { dedupe, badRows },
}: Omit<DataFactsProps, 'ownEvaluation'> & { readonly fact: Fact }) {
  const button = (text: string, patch: Partial<RunConfig>) => (
    <button type="button" className="link" onClick={() => setConfig(patch)}>
      {text}
    </button>
  );
  if (id === 'duplicates' && counts.duplicates > 0)
    return dedupe ? button('Keep them', { dedupe: false }) : button('Leave them out', { dedupe: true });
  if (id === 'malformed' && counts.badRows > 0)
    return badRows === 'refuse' ? button('Skip them', { badRows: 'skip' }) : button('Refuse them', { badRows: 'refuse' });
  return null;
}
