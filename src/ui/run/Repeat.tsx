// The same run again with the other methods, in one click: their results stand beside each other in the history.

import { METHODS } from '../../config/field';
import type { Method } from '../../config/run-config';
import { startRun } from '../../store/run/actions';
import { isActive, type Run } from '../../store/run/run';
import { setConfig } from '../../store/setup/config';
import { chosenSources, useSourcesStore } from '../../store/setup/sources';
import type { ActionState } from '../actions';
import { METHOD_NAMES } from '../labels';
import { withMethod } from './with-method';

export function Repeat({ run, state }: { readonly run: Run; readonly state: ActionState }) {
  const { config } = run;
  // The form still names the model and the data of this run, and has their files.
  const here = state.setup.config.model === config.model && state.setup.config.data === config.data;
  const sources = here ? chosenSources(state.setup.sources) : null;
  const ready = sources !== null && state.device.status === 'ready' && !isActive(state.run);
  if (!here) return null;
  const repeat = (method: Method): void => {
    const chosen = chosenSources(useSourcesStore.getState());
    if (!chosen) return;
    const next = withMethod(config, method);
    setConfig({ method, lr: next.lr });
    startRun(next, chosen.model, chosen.data, false);
  };
  return METHODS.filter((method) => method !== config.method).map((method) => (
    <button key={method} type="button" className="button" disabled={!ready} onClick={() => repeat(method)}>
      Repeat with {method === 'full' ? 'full fine-tuning' : METHOD_NAMES[method]}
    </button>
  ));
}
