// Which model: the built-in one, a folder in Hugging Face layout, or one from the Hub; and what it would need.

import { lazy, Suspense } from 'react';
import { setModelKind, useSourcesStore } from '../../store/setup/sources';
import { BUILTIN, BUILTIN_FACTS } from '../known-models';
import { fieldId, MODEL_PANEL } from '../labels';
import { LocalFolder } from '../model/LocalFolder';
import { ModelVerdict, ShapeLine, useModelStanding } from '../model/ModelVerdict';
import { Panel } from '../widgets/Panel';
import { Segmented } from '../widgets/fields';
import { WantedModel } from './Wanted';
import type { Setup } from '../setup-state';

const HubModel = lazy(() => import('../hub/HubModel'));

const KINDS = [
  ['builtin', 'Built-in'],
  ['local', 'Folder'],
  ['hub', 'Hub'],
] as const;

const WHY =
  'Fine-tuning starts from weights that somebody has trained before. The built-in model is small enough to tune in minutes on any GPU. You can also choose a folder of yours or a repository on the Hugging Face Hub with a GPT-2, Llama, Mistral or Qwen model. You see how much memory it needs before its weights are read or downloaded. Your files stay as they are; you download the tuned model.';

export function ModelPanel({ setup: { config, model } }: { readonly setup: Setup }) {
  const { modelKind, local } = useSourcesStore();
  const standing = useModelStanding(model, config);
  return (
    <Panel id={MODEL_PANEL} title="Model" hint="The model to start from." why={WHY}>
      <Segmented legend="Model" name="model" value={modelKind} options={KINDS} onChange={setModelKind} />
      {modelKind === 'builtin' && (
        <>
          <p className="chosen" id={fieldId('model')} tabIndex={-1}>
            {BUILTIN.name}
          </p>
          <ShapeLine shape={BUILTIN.shape} facts={BUILTIN_FACTS} />
          <p className="note">Trained from scratch on dictionary definitions. It comes with the page.</p>
          <ModelVerdict name={BUILTIN.name} standing={standing} config={config} withBars={false} />
        </>
      )}
      <WantedModel />
      {modelKind === 'local' && <LocalFolder local={local} standing={standing} config={config} />}
      {modelKind === 'hub' && (
        <Suspense fallback={<p className="note">Loading…</p>}>
          <HubModel standing={standing} config={config} />
        </Suspense>
      )}
    </Panel>
  );
}
