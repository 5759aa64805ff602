// The settings that most runs leave alone, by what they belong to. Shown in the advanced set-up.

import { Panel } from '../widgets/Panel';
import type { Setup } from '../setup-state';
import { Fields } from './Fields';
import { ADVANCED_PANELS, usedBy } from './form';

export function AdvancedPanels({ setup }: { readonly setup: Setup }) {
  return ADVANCED_PANELS.filter(({ keys }) => usedBy(setup.config.method, keys).length > 0).map(({ title, hint, keys }) => (
    <Panel key={title} title={title} hint={hint}>
      <Fields setup={setup} keys={keys} />
    </Panel>
  ));
}
