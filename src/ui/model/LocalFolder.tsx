// A model's folder on this machine, chosen or dropped on the page. Its verdict comes from the headers only.

import type { RunConfig } from '../../config/run-config';
import { chooseModelFolder } from '../../store/setup/local-model';
import type { LocalModel } from '../../store/setup/sources';
import { fieldId } from '../labels';
import { ErrorCard } from '../widgets/ErrorCard';
import { ModelVerdict, ShapeLine } from './ModelVerdict';
import type { ModelStanding } from './verdict';

interface LocalFolderProps {
  readonly local: LocalModel | null;
  readonly standing: ModelStanding | null;
  readonly config: RunConfig;
}

export function LocalFolder({ local, standing, config }: LocalFolderProps) {
  return (
    <>
      <label className="file">
        <input
          id={fieldId('model')}
          type="file"
          // React has no name for this attribute, but every browser reads it.
          ref={(input) => input?.setAttribute('webkitdirectory', '')}
          onChange={({ target }) => target.files?.length && chooseModelFolder([...target.files])}
        />
        <span className="button">Choose a folder…</span>
        <span className="chosen">{local?.name ?? 'None chosen'}</span>
      </label>
      {!local && (
        <p className="note">
          A folder with config.json, tokenizer.json and .safetensors files. Choose it here, or drop it on the page. It is read in place and
          never uploaded. A GGUF file of the Llama or Qwen family will do, too, if its weights are F32, F16, BF16 or Q8_0.
        </p>
      )}
      {!local && (
        <label className="file">
          <input
            id="gguf-file"
            type="file"
            accept=".gguf"
            onChange={({ target }) => target.files?.length && chooseModelFolder([...target.files])}
          />
          <span className="button">Choose a GGUF file…</span>
        </label>
      )}
      {local && !local.facts && !local.error && <p className="note">Reading its headers…</p>}
      {local?.facts && (
        <>
          <ShapeLine shape={local.facts.shape} facts={local.facts} />
          <ModelVerdict name={local.name} standing={standing} config={config} />
        </>
      )}
      {local?.error && <ErrorCard error={local.error} />}
    </>
  );
}
