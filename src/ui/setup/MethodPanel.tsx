// How the model is trained: LISA, full or LoRA, and the main settings of the chosen one.

import { lazy, Suspense, useState } from 'react';
import { METHODS } from '../../config/field';
import { setMethod } from '../../store/setup/config';
import { LABELS, METHOD_HINTS, METHOD_NAMES, METHOD_PANEL } from '../labels';
import { Segmented } from '../widgets/fields';
import { Panel } from '../widgets/Panel';
import type { Setup } from '../setup-state';
import { Coverage } from './Coverage';
import { Fields } from './Fields';
import { METHOD_FIELDS } from './form';

const Expect = lazy(() => import('../expect/Expect'));
const Importance = lazy(() => import('./Importance'));

const OPTIONS = METHODS.map((method) => [method, METHOD_NAMES[method]] as const);

const WHY =
  'Full training keeps a gradient and Adam’s m and v for every weight: four times the model’s memory. LISA keeps them for γ layers at a time and moves on, so every layer is trained in full, but not all at once. LoRA leaves the model as it is and trains small matrices beside it.';

export function MethodPanel({ setup }: { readonly setup: Setup }) {
  const { method } = setup.config;
  const { label } = LABELS.method;
  return (
    <Panel id={METHOD_PANEL} title={label} hint={METHOD_HINTS[method]} why={WHY}>
      <Segmented legend={label} name="method" value={method} options={OPTIONS} onChange={setMethod} />
      <Fields setup={setup} keys={METHOD_FIELDS} />
      {method === 'lisa' && <Coverage setup={setup} />}
      {method === 'lisa' && (
        <Suspense fallback={<div className="importance-room" />}>
          <Importance setup={setup} />
        </Suspense>
      )}
      <WhatToExpect />
    </Panel>
  );
}

/** Loaded when it is first opened: most people never do. */
function WhatToExpect() {
  const [opened, setOpened] = useState(false);
  return (
    <details className="numbers" onToggle={({ currentTarget }) => setOpened((was) => was || currentTarget.open)}>
      <summary>What to expect</summary>
      {opened && (
        <Suspense fallback={null}>
          <Expect />
        </Suspense>
      )}
    </details>
  );
}
