// Before a model is chosen: what the settings need on models that are known without a download.

import type { RunConfig } from '../../config/run-config';
import { useBudgetStore } from '../../store/setup/budget';
import { useDeviceStore } from '../../store/run/device';
import { MEMORY_PANEL } from '../labels';
import { Panel } from '../widgets/Panel';
import { LargerModels, useLargerModels } from './LargerModels';

export default function KnownModels({ config }: { readonly config: RunConfig }) {
  const budget = useBudgetStore((state) => state.budget);
  const device = useDeviceStore((state) => state.device);
  const models = useLargerModels(config, device.status === 'ready' ? device.limits : null);
  return (
    <Panel
      id={MEMORY_PANEL}
      title="Estimated memory"
      hint="Choose a model at the left to see its own need."
      aside={<span className="tag">forecast</span>}
    >
      <LargerModels models={models} config={config} ownScale={null} budget={budget} />
    </Panel>
  );
}
