// The lab on the device that Node sees, opened once per process. For tests.

import { openGpu } from '../gpu/device';
import { Lab } from '../gpu/lab';
import { nodeGpu } from '../gpu/node';

let opened: Promise<Lab> | undefined;

export function nodeLab(): Promise<Lab> {
  opened ??= (async () => new Lab(await openGpu(await nodeGpu())))();
  return opened;
}
