// `npm run torture -- --part soak --minutes 60`: whole runs one after the other, each with switches, evaluations, samples, checkpoints and a
// resume, for the first half of the time; then a single run for the second half. Bytes of GPU buffers, heap, array buffers, resident memory, handles and open files are
// taken after a collection of garbage, once a cycle or once every ten seconds, and must not grow. The first quarter of each half is warming up.

import { existsSync, readdirSync } from 'node:fs';
import process from 'node:process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, describe, expect, test } from 'vitest';
import type { SafetensorsFile } from '../../io/formats/safetensors';
import type { RunConfig } from '../../config/run-config';
import type { GateAnswer } from '../../train/gate';
import { Session } from '../../train/session';
import type { SessionHost } from '../../train/session-host';
import { slopeOf } from '../../base/statistics';
import { spyOnBuffers } from '../buffer-spy';
import { nodeLab } from '../node-lab';
import { temporaryFolder } from '../tiny-folder';
import { MemoryCheckpoints, textRows, tinyInputs, TINY_CONFIG } from '../tiny-session';

const MINUTES = Number(process.env.LISA_SOAK_MINUTES ?? 0);

const KINDS: Readonly<Record<string, Partial<RunConfig>>> = {
  'LISA, state dropped': {},
  'LISA, state parked, 8-bit state': { lisaState: 'park', optimizerState: 'int8' },
  'adaptive LISA': { lisaSampler: 'weighted', lisaAdapt: 'updates', lisaEmbedding: 'rows' },
  LoRA: { method: 'lora' },
};
const CONFIG: RunConfig = { ...TINY_CONFIG, method: 'lisa', steps: 60, lr: 1e-3, evalEvery: 10, saveEvery: 20, sampleAt: 'log' };

/** Keeps the last checkpoint alone, as a disk does. */
class LastCheckpoint extends MemoryCheckpoints {
  override async write(step: number, file: SafetensorsFile): Promise<void> {
    await super.write(step, file);
    for (const other of this.files.keys()) if (other !== step) this.files.delete(other);
  }
}

/** Counts events and keeps none. */
class QuietHost implements SessionHost {
  readonly checkpoints = new LastCheckpoint();
  readonly counts: Record<string, number> = {};
  steps = 0;

  constructor(readonly onStep: (step: number) => GateAnswer | Promise<GateAnswer> = () => 'go') {}

  emit({ type }: Parameters<SessionHost['emit']>[0]): void {
    this.counts[type] = (this.counts[type] ?? 0) + 1;
  }

  gate(): Promise<GateAnswer> {
    return Promise.resolve(this.onStep(this.steps++));
  }

  discarded(): boolean {
    return false;
  }
}

interface Point {
  readonly minutes: number;
  readonly gpu: number;
  readonly heap: number;
  readonly arrays: number;
  readonly resident: number;
  readonly handles: number;
  readonly files: number;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const begun = performance.now();

async function take(gpu: number): Promise<Point> {
  // Dawn frees what JavaScript has let go of one turn later.
  collect();
  await new Promise((resolve) => setTimeout(resolve, 20));
  collect();
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  const files = existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0;
  const handles = process.getActiveResourcesInfo().length;
  return { minutes: (performance.now() - begun) / 60_000, gpu, heap: heapUsed, arrays: arrayBuffers, resident: rss, handles, files };
}

/** The slope of one figure over time, per hour, with its standard error. */
const perHour = (points: readonly Point[], key: keyof Point): { slope: number; error: number } =>
  slopeOf(points.map((point) => [point.minutes / 60, point[key]]));

function expectFlat(name: string, taken: readonly Point[]): void {
  // Until then, kernels and functions are compiled.
  const points = taken.slice(Math.ceil(taken.length / 4));
  const lines = (['heap', 'arrays', 'resident'] as const).map((key) => {
    const { slope, error } = perHour(points, key);
    return `${key} ${(points.at(-1)![key] / 1e6).toFixed(2)} MB, ${(slope / 1e6).toFixed(3)} ± ${(error / 1e6).toFixed(3)} MB an hour`;
  });
  const range = (key: keyof Point): string => {
    const values = points.map((point) => point[key]);
    return `${Math.min(...values)} to ${Math.max(...values)}`;
  };
  console.info(
    [`${name}: ${points.length} points in ${(points.at(-1)!.minutes - points[0].minutes).toFixed(1)} minutes`, ...lines].join('; '),
    `; GPU bytes ${range('gpu')}; handles ${range('handles')}; open files ${range('files')}`,
  );
  expect(new Set(points.map((point) => point.gpu)).size, 'GPU bytes').toBe(1);
  for (const key of ['handles', 'files'] as const) expect(points.at(-1)![key], key).toBeLessThanOrEqual(points[0][key]);
  for (const key of ['heap', 'arrays'] as const) {
    const { slope, error } = perHour(points, key);
    expect(slope - 3 * error, `${key}, bytes an hour`).toBeLessThan(4e6);
  }
}

describe.skipIf(MINUTES === 0)('a long time', () => {
  const folder = temporaryFolder('soak');
  afterAll(() => folder.remove());
  const half = (MINUTES / 2) * 60_000;

  test(
    'run after run',
    async () => {
      const { gpu } = await nodeLab();
      const data = textRows(12);
      const inputs = await Promise.all(
        Object.values(KINDS).map((more, i) => tinyInputs(`${folder.path}/${i}`, 'tiny-llama', { ...CONFIG, ...more }, data)),
      );
      const spy = spyOnBuffers(gpu);
      const points: Point[] = [];
      const totals: Record<string, number> = {};
      try {
        while (performance.now() - begun < half) {
          for (const one of inputs) {
            const first = new QuietHost((step) => (step < 31 ? 'go' : 'stop'));
            for (const host of [first, new QuietHost()]) {
              const session = await Session.create(gpu, one, host, host === first ? null : await first.checkpoints.open());
              try {
                await session.run();
              } finally {
                session.close();
              }
              for (const [type, count] of Object.entries(host.counts)) totals[type] = (totals[type] ?? 0) + count;
            }
          }
          points.push(await take(spy.live()));
        }
      } finally {
        spy.end();
      }
      expect(points[0].gpu).toBe(0);
      expectFlat(`${totals.done} runs, ${JSON.stringify(totals)}`, points);
    },
    half + 600_000,
  );

  test(
    'one run',
    async () => {
      const { gpu } = await nodeLab();
      // What a run keeps of every evaluation and of every period's moves grows by design; here it is little.
      const config = { ...CONFIG, steps: 1_000_000, evalEvery: 500, saveEvery: 200, measureUpdates: false };
      const inputs = await tinyInputs(`${folder.path}/long`, 'tiny-llama', config, textRows(12));
      const points: Point[] = [];
      const spy = spyOnBuffers(gpu);
      const since = performance.now();
      let last = since;
      const host = new QuietHost(async (step) => {
        const now = performance.now();
        if (now - last >= 10_000 && step % 5 === 0) {
          last = now;
          points.push(await take(spy.live()));
        }
        return now - since < half ? 'go' : 'stop';
      });
      const session = await Session.create(gpu, inputs, host);
      try {
        await session.run();
      } finally {
        session.close();
        spy.end();
      }
      expect(spy.live()).toBe(0);
      expectFlat(`one run of ${host.steps} steps, ${JSON.stringify(host.counts)}`, points);
    },
    half + 600_000,
  );
});
