// Which model: the one that the page ships, or a folder in Hugging Face layout.

import type { ModelShape } from '../../model/types';
import { chooseModelFolder, setModelKind, useSourcesStore, type LocalModel } from '../../store/sources';
import { formatBytes, formatCount, plural } from '../format';
import { VERDICTS } from '../charts/budget-line';
import { BUILTIN } from '../known-models';
import { fieldId, METHOD_NAMES } from '../labels';
import { Panel } from '../parts/Panel';
import { Segmented } from '../parts/fields';
import { ErrorCard } from '../parts/ErrorCard';
import type { Setup } from '../setup-state';

const KINDS = [
  ['builtin', 'Built-in'],
  ['local', 'Local folder'],
] as const;

const WHY =
  'Fine-tuning goes on from weights that somebody has trained before. The built-in model is small enough to be tuned in minutes on any GPU; a folder of yours can hold any GPT-2 or Llama-like model that fits the GPU’s memory. Your files stay as they are: the tuned model is a download.';

export function ModelPanel({ setup }: { readonly setup: Setup }) {
  const { modelKind, local } = useSourcesStore();
  return (
    <Panel title="Model" hint="The model to start from." why={WHY}>
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
      <Standing setup={setup} />
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

/** Its memory with the settings as they are, and what stands in the way. */
function Standing({ setup: { config, memory, limit, verdict } }: { readonly setup: Setup }) {
  if (!memory?.forecast) return null;
  const needs = `${METHOD_NAMES[config.method]} needs ${formatBytes(memory.forecast.total)} on the GPU (forecast)`;
  if (limit)
    return (
      <p className="note fault">{`${needs}. ${sentence(limit.what)} needs one ${limit.kind} of ${formatBytes(limit.bytes)}; this device allows ${formatBytes(limit.limit)}.`}</p>
    );
  return <p className={verdict === 'exceeds' ? 'note fault' : 'note'}>{`${needs}${verdict ? `, which ${VERDICTS[verdict]}` : ''}.`}</p>;
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

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
