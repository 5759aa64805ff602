// `npm run torture -- --part faults`: a small run whose GPU fails once, at each of its allocations (out of memory) and at each of its submits (device
// lost), one at a time. It must end in that error by code, leave no buffer behind, and go on from its last checkpoint, if it has one, to the
// weights of a run that never failed. LISA_FAULTS_EVERY = n tries every n-th place.

import { afterAll, describe, expect, test } from 'vitest';
import { AppError } from '../../base/errors';
import { openGpu, type Gpu } from '../../gpu/device';
import { nodeGpu } from '../../gpu/node';
import type { RunConfig } from '../../config/run-config';
import { Session } from '../../train/session';
import type { RunInputs } from '../../train/prepare';
import { spyOnBuffers } from '../buffer-spy';
import { nodeLab } from '../node-lab';
import { temporaryFolder } from '../tiny-folder';
import { differences, MemoryCheckpoints, TestHost, textRows, tinyInputs, TINY_CONFIG, trainedBytes } from '../tiny-session';

const EVERY = Number(process.env.LISA_FAULTS_EVERY ?? 0);
const CONFIG: RunConfig = { ...TINY_CONFIG, method: 'lisa', steps: 3, stepsPerPeriod: 2, lisaState: 'park', evalEvery: 2, sampleTokens: 2 };

/** Counts calls of a method of the device or its queue, and does something before the n-th. */
function before<K extends string>(target: Record<K, (...args: never[]) => unknown>, name: K, n: number, act: () => void) {
  const original = target[name];
  let calls = 0;
  target[name] = (...args: never[]): unknown => {
    if (++calls === n) act();
    return original.apply(target, args);
  };
  return { calls: () => calls, end: () => (target[name] = original) };
}

class Host extends TestHost {
  constructor(override readonly checkpoints = new MemoryCheckpoints()) {
    super();
  }
}

async function whole(gpu: Gpu, inputs: RunInputs, host: Host): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const session = await Session.create(gpu, inputs, host, await host.checkpoints.open());
  try {
    await Promise.race([session.run(), gpu.lost.then((error) => Promise.reject(error))]);
    return await trainedBytes(session);
  } finally {
    session.close();
  }
}

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (thrown: unknown) => (thrown instanceof AppError ? thrown.code : `not told: ${String(thrown)}`),
  );

describe.skipIf(EVERY === 0)('a GPU that fails once', () => {
  const folder = temporaryFolder('faults');
  afterAll(() => folder.remove());
  const inputsOf = (): Promise<RunInputs> => tinyInputs(folder.path, 'tiny-llama', CONFIG, textRows(6));

  test('out of memory at each allocation', { timeout: 3_600_000 }, async () => {
    const { gpu } = await nodeLab();
    const inputs = await inputsOf();
    const { device } = gpu;
    const counter = before(device as never, 'createBuffer', 0, () => undefined);
    const expected = await whole(gpu, inputs, new Host());
    counter.end();
    const resumed: Record<string, number> = {};
    for (let n = 1; n <= counter.calls(); n += EVERY) {
      const spy = spyOnBuffers(gpu);
      const pop = device.popErrorScope;
      let failing = false;
      const fault = before(device as never, 'createBuffer', n, () => (failing = true));
      device.popErrorScope = async () => {
        const fails = failing;
        failing = false;
        const found = await pop.call(device);
        return fails ? new GPUOutOfMemoryError('injected') : found;
      };
      const host = new Host();
      try {
        expect(await codeOf(whole(gpu, inputs, host)), `allocation ${n}`).toBe('GPU_OOM');
      } finally {
        fault.end();
        device.popErrorScope = pop;
      }
      expect(spy.live(), `allocation ${n}`).toBe(0);
      const from = String([...host.checkpoints.files.keys()].at(-1) ?? 'the beginning');
      resumed[from] = (resumed[from] ?? 0) + 1;
      expect(differences(expected, await whole(gpu, inputs, new Host(host.checkpoints))), `allocation ${n}`).toEqual([]);
      spy.end();
    }
    console.info(`${counter.calls()} allocations, every ${EVERY} tried; went on from step ${JSON.stringify(resumed)}`);
  });

  test('lost at each submit', { timeout: 3_600_000 }, async () => {
    const inputs = await inputsOf();
    const { gpu: sound } = await nodeLab();
    const counter = before(sound.device.queue as never, 'submit', 0, () => undefined);
    const expected = await whole(sound, inputs, new Host());
    counter.end();
    const resumed: Record<string, number> = {};
    for (let n = 1; n <= counter.calls(); n += EVERY) {
      const opened = await openGpu(await nodeGpu());
      let lose: (error: AppError) => void = () => undefined;
      const lost = new Promise<AppError>((resolve) => (lose = resolve));
      // The device is really gone from there on; only the reason is what a driver would give.
      const fault = before(opened.device.queue as never, 'submit', n, () => {
        opened.close();
        lose(new AppError('DEVICE_LOST', 'injected', 'injected'));
      });
      const host = new Host();
      expect(await codeOf(whole({ ...opened, lost }, inputs, host)), `submit ${n}`).toBe('DEVICE_LOST');
      fault.end();
      const from = String([...host.checkpoints.files.keys()].at(-1) ?? 'the beginning');
      resumed[from] = (resumed[from] ?? 0) + 1;
      expect(differences(expected, await whole(sound, inputs, new Host(host.checkpoints))), `submit ${n}`).toEqual([]);
    }
    console.info(`${counter.calls()} submits, every ${EVERY} tried; went on from step ${JSON.stringify(resumed)}`);
  });
});
