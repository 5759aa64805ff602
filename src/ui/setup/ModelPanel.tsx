// Which model: the one that the page ships, or a folder in Hugging Face layout.

import type { ModelShape } from '../../model/types';
import { chooseModelFolder, setModelKind, useSourcesStore, type LocalModel } from '../../store/sources';
import { formatBytes, formatCount, plural } from '../format';
import { BUILTIN } from '../known-models';
import { fieldId } from '../labels';
import { Panel } from '../parts/Panel';
import { Segmented } from '../parts/fields';
import { ErrorCard } from '../parts/ErrorCard';

const KINDS = [
  ['builtin', 'Built-in'],
  ['local', 'Local folder'],
] as const;

export function ModelPanel() {
  const { modelKind, local } = useSourcesStore();
  return (
    <Panel title="Model">
      <Segmented legend="Model" name="model" value={modelKind} options={KINDS} onChange={setModelKind} />
      {modelKind === 'builtin' ? (
        <>
          <p className="chosen" id={fieldId('model')} tabIndex={-1}>
            {BUILTIN.name}
          </p>
          <ShapeLine shape={BUILTIN.shape} />
        </>
      ) : (
        <LocalFolder local={local} />
      )}
    </Panel>
  );
}

function LocalFolder({ local }: { readonly local: LocalModel | null }) {
  return (
    <>
      <label className="file">
        <input
          id={fieldId('model')}
          type="file"
          // React has no name for it; the attribute is what every browser reads.
          ref={(input) => input?.setAttribute('webkitdirectory', '')}
          onChange={({ target }) => target.files?.length && void chooseModelFolder([...target.files])}
        />
        <span className="button">Choose a folder…</span>
        <span className="chosen">{local?.name ?? 'None chosen'}</span>
      </label>
      {local?.shape && <ShapeLine shape={local.shape} bytes={local.bytes} />}
      {local?.error && <ErrorCard error={local.error} />}
      {!local && (
        <p className="note">
          A folder with config.json, tokenizer.json and .safetensors, of a GPT-2 or Llama-like model. It is read in place and sent nowhere.
        </p>
      )}
    </>
  );
}

function ShapeLine({ shape, bytes }: { readonly shape: ModelShape; readonly bytes?: number }) {
  const facts = [
    plural(shape.layers, 'layer'),
    `width ${formatCount(shape.width)}`,
    `vocabulary ${formatCount(shape.vocab)}`,
    `${formatCount(shape.maxPositions)} positions`,
  ];
  if (bytes !== undefined) facts.push(formatBytes(bytes));
  return <p className="note facts">{facts.join(' · ')}</p>;
}
