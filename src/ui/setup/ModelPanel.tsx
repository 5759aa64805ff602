// Which model: the one that the page ships, or a folder in Hugging Face layout; and what it would need.

import { setModelKind, useSourcesStore } from '../../store/sources';
import { BUILTIN } from '../known-models';
import { fieldId } from '../labels';
import { LocalFolder } from '../model/LocalFolder';
import { ModelVerdict, ShapeLine, useModelStanding } from '../model/ModelVerdict';
import { Panel } from '../parts/Panel';
import { Segmented } from '../parts/fields';
import type { Setup } from '../setup-state';

const KINDS = [
  ['builtin', 'Built-in'],
  ['local', 'Local folder'],
] as const;

const WHY =
  'Fine-tuning goes on from weights that somebody has trained before. The built-in model is small enough to be tuned in minutes on any GPU; a folder of yours can hold a GPT-2, Llama, Mistral or Qwen model that fits the GPU’s memory. Your files stay as they are: the tuned model is a download.';

export function ModelPanel({ setup: { config, shape } }: { readonly setup: Setup }) {
  const { modelKind, local } = useSourcesStore();
  const standing = useModelStanding(shape, config);
  return (
    <Panel title="Model" hint="The model to start from." why={WHY}>
      <Segmented legend="Model" name="model" value={modelKind} options={KINDS} onChange={setModelKind} />
      {modelKind === 'builtin' ? (
        <>
          <p className="chosen" id={fieldId('model')} tabIndex={-1}>
            {BUILTIN.name}
          </p>
          <ShapeLine shape={BUILTIN.shape} />
          <ModelVerdict name={BUILTIN.name} standing={standing} config={config} />
        </>
      ) : (
        <LocalFolder local={local} standing={standing} config={config} />
      )}
    </Panel>
  );
}
