// The tuned model as GGUF, with a choice of type. A model that llama.cpp would compute or read differently is refused, and the
// reason is shown here.

import { useState } from 'react';
import { isDownload, isRefusal, type Run } from '../../store/run/run';
import { download } from '../../store/run/actions';
import type { ExportKind } from '../../worker/protocol';
import { Segmented } from '../parts/fields';
import { Saved } from './Saved';

type GgufKind = Extract<ExportKind, `gguf-${string}`>;

const TYPES: readonly (readonly [GgufKind, string])[] = [
  ['gguf-f32', 'F32'],
  ['gguf-f16', 'F16'],
  ['gguf-q8_0', 'Q8_0'],
];

const WHAT: Readonly<Record<GgufKind, string>> = {
  'gguf-f32': 'exact',
  'gguf-f16': 'half the size; 11 bits of every weight',
  'gguf-q8_0': 'about a quarter of the size; 8 bits of every weight, with one scale per 32 weights',
};

export function GgufExport({ run }: { readonly run: Run }) {
  const [kind, setKind] = useState<GgufKind>('gguf-f16');
  const exported = run.exported[kind];
  return (
    <li>
      <div>
        <p className="note">
          One file for llama.cpp and programs built on it ({WHAT[kind]})
          {run.config.method === 'lora' && ', and the adapter as a second file for the base model’s GGUF'}.
        </p>
        <p className="note fault" role="status">
          {isRefusal(exported) && `${exported.detail} ${exported.remedy}`}
        </p>
        {isDownload(exported) && <Saved download={exported} />}
      </div>
      <div className="take-choice">
        <Segmented legend="Type of the weights in the GGUF file" name="gguf-type" value={kind} options={TYPES} onChange={setKind} />
        <button
          type="button"
          className="button"
          data-action="downloadGguf"
          disabled={exported === 'asked' || isRefusal(exported)}
          onClick={() => download(kind)}
        >
          {exported === 'asked' ? 'Writing GGUF…' : 'Download as GGUF'}
        </button>
      </div>
    </li>
  );
}
