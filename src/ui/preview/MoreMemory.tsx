// Below the bars of the chosen model: what each lever saves, which models fit, and the same settings on larger models.

import type { RunConfig } from '../../config/run-config';
import type { DeviceLimits } from '../../dispatch/limits';
import type { Bar } from '../charts/bar-model';
import { BarTable } from '../charts/MemoryBars';
import '../styles/waterfall.css';
import { FitTable } from './FitTable';
import type { PlannedModel } from './forecast-key';
import { LargerModels, useLargerModels } from './LargerModels';
import { WaterfallView } from './WaterfallView';

interface MoreMemoryProps {
  readonly config: RunConfig;
  readonly model: PlannedModel;
  /** Shows larger models beside a small one. */
  readonly builtin: boolean;
  readonly own: readonly Bar[];
  /** The right end of the chosen model's bars. */
  readonly ownScale: number;
  readonly limits: DeviceLimits | null;
  readonly budget: number | null;
}

export default function MoreMemory({ builtin, model, ...props }: MoreMemoryProps) {
  const { config, budget, own } = props;
  return (
    <>
      <WaterfallView config={config} model={model} />
      <FitTable config={config} budget={budget} />
      {builtin ? <Larger {...props} /> : <BarTable groups={[{ caption: 'The chosen model', bars: own }]} />}
    </>
  );
}

function Larger({ config, own, ownScale, limits, budget }: Omit<MoreMemoryProps, 'builtin' | 'model'>) {
  const models = useLargerModels(config, limits);
  const groups = models.map(({ model, bars }) => ({ caption: model.name, bars }));
  return (
    <>
      <LargerModels models={models} config={config} ownScale={ownScale} budget={budget} />
      <BarTable groups={[{ caption: 'The built-in model', bars: own }, ...groups]} />
    </>
  );
}
