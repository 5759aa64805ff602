import { openGpu } from '../gpu/device';
import { nodeGpu } from '../gpu/node';
import { DEFAULT_KERNELS } from '../plan/input';
import { benchModel } from './bench-models';
import { describeProfile, profileStep } from './bench-profile';

const gpu = await openGpu(await nodeGpu(['disable-dawn-features=timestamp_quantization']), { timestamps: true });
const model = await benchModel('wordsmith-2m');
const clock = process.argv[2] as 'host' | undefined;
const profile = await profileStep(gpu, model, { method: 'lisa', batch: model.batch.software, kernels: DEFAULT_KERNELS, repetitions: 5, clock });
process.stdout.write(describeProfile(profile));
gpu.close();
process.exit(0);
