// The figures that other devices are held to are those of the kernels that tests hold to float64.

import { expect, it } from 'vitest';
import { DEFAULT_KERNELS } from '../plan/input';
import { nodeLab } from '../testing/node-lab';
import { CHECK_STEP_BOUND, checkStep } from './check-step';

it('three steps have the recorded losses, and take the bytes of the plan', async () => {
  const { losses, error, planned, allocated } = await checkStep((await nodeLab()).gpu, DEFAULT_KERNELS);
  console.info(`losses ${losses.join(', ')}, off by ${error?.toExponential(1)}`);
  expect(error).toBeLessThan(CHECK_STEP_BOUND);
  expect(losses[2]).toBeLessThan(losses[0]);
  expect(allocated).toBe(planned);
});
