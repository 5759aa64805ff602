// Before a run: the layer schedule for this seed, and the memory that each method will need.

import { lazy, Suspense, useDeferredValue, useState } from 'react';
import type { RunConfig } from '../../config/run-config';
import type { ModelShape } from '../../model/types';
import type { Setup } from '../setup-state';
import type { PlannedModel } from './forecast-key';
import { MemoryPreview } from './MemoryPreview';
import { SchedulePanel } from './SchedulePanel';

const KnownModels = lazy(() => import('./KnownModels'));

interface Valid {
  readonly config: RunConfig;
  readonly shape: ModelShape;
  readonly model: PlannedModel;
}

/** The settings if they can run, else the last ones that could. So a half-typed number does not blank the page. */
function useLastValid({ config, shape, model, faults }: Setup): { readonly valid: Valid | null; readonly stale: boolean } {
  const [last, setLast] = useState<Valid | null>(null);
  const good = shape !== null && model !== null && faults.length === 0;
  if (good && (last?.config !== config || last.shape !== shape)) setLast({ config, shape, model });
  // The bars of another model would be wrong.
  return { valid: last?.shape === shape ? last : null, stale: !good };
}

export function PreviewView({ setup }: { readonly setup: Setup }) {
  const { valid, stale } = useLastValid(setup);
  const shown = useDeferredValue(valid);
  if (!shown) {
    return setup.shape === null ? (
      <Suspense fallback={null}>
        <KnownModels config={setup.config} />
      </Suspense>
    ) : (
      <p className="note empty">The memory of each method appears here as soon as the settings can run.</p>
    );
  }
  return (
    <div className={stale ? 'stale' : undefined}>
      {stale && <p className="note stale-note">This shows the last settings that could run.</p>}
      {shown.config.method === 'lisa' && <SchedulePanel {...shown} />}
      <MemoryPreview {...shown} builtin={setup.sources.modelKind === 'builtin'} />
    </div>
  );
}
