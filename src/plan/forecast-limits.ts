// Whether a device's limits hold a run, told before the run starts and in words. The rules are the validator's
// (validate.ts); a test holds the two together. Pure.

import type { ErrorInfo } from '../errors';
import type { DeviceLimits } from '../gpu/device';
import type { Forecast } from './forecast';

export interface LimitFault {
  /** What is too large: 'its embedding', 'its logits'. */
  readonly what: string;
  readonly bytes: number;
  readonly limit: number;
  readonly kind: 'buffer' | 'binding';
}

type Largest = Forecast['largest']['buffer'];

/** A buffer of a plan for people. */
function inWords({ name, memory, block }: Largest): string {
  const layer = /^layer\.(\d+)$/.exec(block ?? '')?.[1];
  const owner = layer !== undefined ? `layer ${layer}` : block;
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
  if (buffer.bytes > limits.maxBufferSize)
    return { what: inWords(buffer), bytes: buffer.bytes, limit: limits.maxBufferSize, kind: 'buffer' };
  const limit = limits.maxStorageBufferBindingSize;
  return binding.bytes > limit ? { what: `its ${binding.name}`, bytes: binding.bytes, limit, kind: 'binding' } : null;
}

/** The same as the error that the start would end with. `bytes` writes a size. */
export function limitError({ what, bytes, limit, kind }: LimitFault, text: (bytes: number) => string): ErrorInfo {
  const one = kind === 'buffer' ? 'one buffer' : 'one binding';
  return {
    code: 'LIMIT_TOO_SMALL',
    detail: `The model does not fit this device: ${what} needs ${one} of ${text(bytes)}, and this device allows ${text(limit)}.`,
    remedy: 'Take a smaller model, batch or length, or a device with larger limits.',
  };
}
