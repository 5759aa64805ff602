// Says in words, before a run starts, whether it fits a device's limits. The rules are the validator's (validate.ts); a test checks that
// the two agree. Pure.

import type { ErrorInfo } from '../base/errors';
import type { DeviceLimits } from '../dispatch/limits';
import type { Forecast } from './forecast';

export interface LimitFault {
  /** What is too large: 'its embedding', 'its logits'. */
  readonly what: string;
  readonly bytes: number;
  readonly limit: number;
  readonly kind: 'buffer' | 'binding';
  /** What makes it smaller: another model, or a smaller batch or length. */
  readonly grows: 'model' | 'batch';
}

type Largest = Forecast['largest']['buffer'];

/** What people call a buffer of a plan. */
function inWords({ name, memory, block, tensor }: Largest): string {
  const layer = /^layer\.(\d+)$/.exec(block ?? '')?.[1];
  const place = layer !== undefined ? `layer ${layer}` : block;
  const owner = tensor === undefined ? place : `${place}'s ${tensor}`;
  switch (memory) {
    case 'weights':
    case 'masters':
      return owner === undefined ? name : `its ${owner}`;
    case 'gradients':
      return `the gradient of its ${owner ?? 'layers'}`;
    case 'optimizer':
      return `the optimizer state of its ${owner ?? 'layers'}`;
    case 'activations':
      return 'an activation of all tokens of a batch';
    case 'cache':
      return 'the K/V cache of a layer';
    default:
      return name === 'logits' ? 'its chunk of logits' : `its ${name}`;
  }
}

export function limitFault({ largest }: Pick<Forecast, 'largest'>, limits: DeviceLimits): LimitFault | null {
  const { buffer, binding } = largest;
  const fault = (of: Largest, limit: number, kind: LimitFault['kind']): LimitFault | null =>
    of.bytes > limit ? { what: inWords(of), bytes: of.bytes, limit, kind, grows: ofModel(of) ? 'model' : 'batch' } : null;
  return fault(buffer, limits.maxBufferSize, 'buffer') ?? fault(binding, limits.maxStorageBufferBindingSize, 'binding');
}

const ofModel = ({ memory }: Largest): boolean => ['weights', 'masters', 'gradients', 'optimizer', 'staging'].includes(memory);

/** The same as the error that starting the run would end with. `bytes` formats a size. */
export function limitError({ what, bytes, limit, kind }: LimitFault, text: (bytes: number) => string): ErrorInfo {
  const one = kind === 'buffer' ? 'one buffer' : 'one binding';
  return {
    code: 'LIMIT_TOO_SMALL',
    detail: `The model does not fit this device: ${what} needs ${one} of ${text(bytes)}, and this device allows ${text(limit)}.`,
    remedy: 'Choose a smaller model, batch or length, or a device with larger limits.',
  };
}
