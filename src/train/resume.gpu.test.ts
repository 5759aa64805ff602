// A run that was interrupted equals one that was not, bit for bit, whatever the method, the kind of block and the way weights lie. Frozen
// weights are proven unchanged over every period, and the checkpoint holds what the layout says.

import { afterAll, describe, expect, test } from 'vitest';
import { collect } from '../testing/tiny-model';
import { decodeTensor, headerSize, parseHeader } from '../io/formats/safetensors';
import { bytesByCategory } from '../dispatch/memory';
import { exportTuned } from '../export/run';
import { SLOW } from '../testing/slow';
import { checkpointTensors, differences, TestHost, timeless } from '../testing/tiny-session';
import { finish, openWhole, wholeRuns, type WholeRunName } from '../testing/whole-runs';
import type { Session } from './session';

type Bytes = Uint8Array<ArrayBuffer>;

const { uninterrupted, remove } = wholeRuns();
afterAll(remove);

/**
 * Steps to resume after. A period has 5 steps: 7 is inside the second, 5 between two; with two samples per step, 3 and 7 are inside an
 * epoch. One run covers the rest: next to the beginning, the end, an evaluation and a sample; with LISA_SLOW=1 every step.
 */
const PLACES: Record<WholeRunName, readonly number[]> = {
  'LISA, state dropped': SLOW ? [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] : [1, 4, 5, 10, 11],
  'LISA, state parked, two micro-batches a step': [5, 7],
  'LISA without embedding, head and norm, rows packed': [7],
  LoRA: [7],
  full: [7],
  'GPT-2, re-warmed joiners, embedding by rows': [7],
  'Llama with biases, cycle, clipped by layer': [5],
  'adaptive by gradient norms, clipped by layer, rates corrected': [5, 7],
  'adaptive by how far layers move, Algorithm 1': [5, 7],
  'f32 in shards, state parked': [7],
  'bf16 as it came': [3, 5],
  'f16 as it came, in shards': [7],
};

test.each(Object.entries(PLACES) as [WholeRunName, readonly number[]][])(
  '%s: resumed after any of these steps, it ends with the same bits',
  async (name, places) => {
    const whole = await uninterrupted(name);
    expect(whole.host.steps.map(({ step }) => step)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
    const periods = whole.inputs.config.method === 'lisa' ? [5, 10, 12] : [12];
    const proofs = whole.host.of('verified').map(({ step, changed }) => [step, changed]);
    expect(proofs).toEqual(periods.map((step) => [step, []]));
    const want = await checkpointTensors(whole.host.checkpoints.at(12));
    const samples = whole.host.of('sample').map(({ sample }) => sample);
    expect(samples.map((sample) => [sample.when, sample.step])).toEqual([
      ['before', 0],
      ['during', 10],
      ['after', 12],
    ]);
    // The whole run has saved every step; for a resumed one, the last checkpoint shows as much as all of them would.
    const inputs = { ...whole.inputs, config: { ...whole.inputs.config, saveEvery: 0 } };
    for (const at of places) {
      const host = new TestHost();
      host.proof = 'every period';
      const { session } = await openWhole(name, inputs, whole.host.checkpoints.at(at), host);
      const resumed = await finish(inputs, session, host);
      expect(timeless(host.steps), `steps after ${at}`).toEqual(timeless(whole.host.steps.slice(at)));
      for (const figure of ['evalLoss', 'updates', 'rounding', 'schedule', 'importance', 'bernoulli'] as const)
        expect(resumed.report[figure], `${figure} after ${at}`).toEqual(whole.report[figure]);
      expect(differences(resumed.weights, whole.weights), `weights after ${at}`).toEqual([]);
      expect(differences(await checkpointTensors(host.checkpoints.at(12)), want), `state after ${at}`).toEqual([]);
      expect(host.of('sample').map(({ sample }) => sample)).toEqual(samples.slice(at <= 10 ? 1 : 2));
      expect(host.of('verified').map(({ step, changed }) => [step, changed])).toEqual(proofs.filter(([step]) => Number(step) > at));
    }
  },
);

/** A finished session of this run, to inspect its state. The caller closes it. */
async function ended(name: WholeRunName): Promise<{ session: Session; host: TestHost }> {
  const { inputs, host } = await uninterrupted(name);
  const opened = await openWhole(name, inputs, host.checkpoints.at(10));
  await opened.session.run();
  return opened;
}

const tensorsOf = (bytes: Bytes): Map<string, Bytes> => {
  const { tensors } = parseHeader(bytes.subarray(0, headerSize(bytes, bytes.byteLength, 'test')), bytes.byteLength, 'test');
  return new Map([...tensors.values()].map(({ name, begin, end }) => [name, bytes.subarray(begin, end)]));
};

async function exported(session: Session, type: 'f32' | 'bf16' | 'f16'): Promise<Map<string, Bytes>> {
  const { files } = await exportTuned(session, type);
  return tensorsOf(await collect(files.find(({ path }) => path === 'model.safetensors')!.chunks()));
}

const LAYOUTS = ['f32 in shards, state parked', 'bf16 as it came', 'f16 as it came, in shards'] as const;

describe.each(LAYOUTS)('%s', (name) => {
  const isCut = name.includes('shards');
  const stored = name.startsWith('f32') ? null : name.startsWith('f16') ? 'f16' : 'bf16';

  test('a checkpoint has a tensor per buffer, and masters if weights are packed', async () => {
    const { host, inputs } = await uninterrupted(name);
    const keys = [...(await checkpointTensors(host.checkpoints.at(3))).keys()];
    const of = (prefix: string): string[] => keys.filter((key) => key.startsWith(prefix));
    const slots = Array.from({ length: inputs.config.lisaLayers }, (_, slot) => `master/slot.${slot}`);
    const whole = new Set(of('master/').map((key) => key.split('/').slice(0, 2).join('/')));
    expect([...whole]).toEqual(stored ? slots : []);
    if (stored) return;
    // None is longer than a shard or a matrix.
    expect(of('weights/embedding/')).toHaveLength(5);
    expect(of('m/head/')).toHaveLength(5);
  });

  test('memory is the forecast, and one turned bit of a frozen tensor is found after a resume', async () => {
    const { host: before, inputs } = await uninterrupted(name);
    const host = new TestHost();
    host.proof = 'on request';
    const { session } = await openWhole(name, inputs, before.checkpoints.at(3), host);
    const { shards } = session.engine.plan.buffers.blocks.get('embedding')!.weights;
    expect(shards).toHaveLength(isCut ? 5 : 1);
    const planned = bytesByCategory(session.engine.plan.allBuffers);
    expect(session.forecasts.lisa.bytes.masters > 0).toBe(stored !== null);
    expect(session.engine.allocator.reading().live).toEqual(planned);
    if (!isCut) expect(session.forecasts.lisa.bytes).toEqual(planned);
    let visits = 0;
    host.onGate = async () => {
      if (session.state.completed !== 4 || visits === 2) return visits === 2 ? 'stop' : 'go';
      await session.drain();
      if (++visits === 1) return 'verify';
      const row = inputs.files.table[0];
      const values = await session.engine.readTensor(row);
      // The lowest bit that every type keeps, in the last element, which lies in the last of several buffers.
      new Uint32Array(values.buffer)[values.length - 1] ^= 1 << 16;
      await session.engine.writeTensor(row, values);
      return 'verify';
    };
    await session.run();
    session.close();
    const verified = host.of('verified');
    expect(verified.map(({ step, changed }) => [step, changed])).toEqual([
      [4, []],
      [4, ['embedding']],
    ]);
    expect(verified[0].frozen).toContain('embedding');
  });

  test('the export holds what the engine holds: the file’s own bits in weights that never trained', async () => {
    const { session } = await ended(name);
    try {
      const { files } = session.inputs;
      const { blocks } = session.engine.plan.buffers;
      const wide = await exported(session, 'f32');
      const { report } = await uninterrupted(name);
      const trained = new Set<string>(report.schedule.flatMap(({ layers }) => layers.map((layer) => `layer.${layer}`)));
      for (const [name, on] of Object.entries(session.inputs.config.alwaysOn)) if (on) trained.add(name);
      const moved = new Set<string>();
      for (const row of files.table) {
        const values = await session.engine.readTensor(row);
        const bytes = wide.get(row.name)!;
        expect(Buffer.compare(bytes, new Uint8Array(values.buffer)), row.name).toBe(0);
        if (session.engine.storedAs(row) === 'f32') {
          const { weights, layout } = blocks.get(row.block)!;
          const { offset, elements } = layout.places.get(row.local)!;
          const block = await session.engine.readSharded(weights);
          expect(Buffer.compare(block.subarray(offset, offset + 4 * elements), bytes), row.name).toBe(0);
        }
        if (Buffer.compare(new Uint8Array((await files.tensor(row)).buffer), bytes) !== 0) moved.add(row.block);
      }
      expect([...moved].sort()).toEqual([...trained].sort());
      if (!stored) return;
      // Exported in the type of the file, it is the same model, value for value: nothing is rounded a second time.
      const narrow = await exported(session, stored);
      for (const row of files.table) {
        if (session.engine.storedAs(row) === 'f32') continue;
        const halves = narrow.get(row.name)!.slice();
        expect(Buffer.compare(new Uint8Array(decodeTensor(halves, stored).buffer), wide.get(row.name)!), row.name).toBe(0);
      }
    } finally {
      session.close();
    }
  });
});

test('the last rounding of packed layers is measured on the held-out rows, and the rounded weights are exported', async () => {
  const { host, report } = await uninterrupted('bf16 as it came');
  const { rounding, evalLoss, stored } = report;
  expect(host.of('rounded').map((event) => event.rounding)).toEqual([rounding]);
  expect(rounding?.layers).toEqual(report.schedule[2].layers);
  expect(evalLoss.at(-1)).toEqual({ step: 12, loss: rounding?.after });
  expect(rounding?.before).toBe(host.of('eval').at(-1)?.loss);
  expect(Math.abs(rounding!.after! - rounding!.before!)).toBeLessThan(0.01);
  expect(rounding?.after).not.toBe(rounding?.before);
  expect(stored!.bf16).toBeGreaterThan(10 * stored!.f32);
  console.info(`rounding back: held-out loss ${rounding!.before} → ${rounding!.after}`);
});
