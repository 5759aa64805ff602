// Whole runs whose frozen weights lie packed: resumed at any step they end in the same bits, proof and export hold to the
// file's own 16 bits, and what the last rounding costs is measured.

import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunConfig } from '../config/run-config';
import { nodeSource } from '../io/node/source';
import { openModel } from '../io/sources/model-files';
import { headerSize, parseHeader } from '../io/formats/safetensors';
import { collect } from '../testing/tiny-model';
import { bytesByClass } from '../dispatch/memory';
import { halfModelFile, temporaryFolder, writeTinyModel } from '../testing/tiny-folder';
import { checkpointTensors, differences, openTiny, TestHost, textRows, timeless, TINY_CONFIG, type TinyRun } from '../testing/tiny-session';
import { exportTuned } from '../export/run';
import { prepareInputs, type RunInputs } from './prepare';

type Bytes = Uint8Array<ArrayBuffer>;

const folder = temporaryFolder('packed');
afterAll(() => folder.remove());

const CONFIG: RunConfig = {
  ...TINY_CONFIG,
  weights: 'stored',
  steps: 6,
  lisaPeriod: 2,
  lisaLayers: 1,
  lisaTrain: { embedding: false, head: false, norm: true },
  sampleTokens: 2,
  sampleAt: 'ends',
  evalEvery: 3,
};

let file: Bytes;
let inputs: RunInputs;
beforeAll(async () => {
  file = await halfModelFile('tiny-llama', 'bf16');
  const model = writeTinyModel(join(folder.path, 'bf16'), 'tiny-llama', { 'model.safetensors': file });
  inputs = await prepareInputs(CONFIG, { model: await nodeSource(model), data: textRows(9), evalData: null });
});

async function finished(from: Parameters<typeof openTiny>[1] = null, proof?: TestHost['proof']): Promise<TinyRun> {
  const host = new TestHost();
  host.proof = proof;
  const run = await openTiny(inputs, from, host);
  await run.session.run();
  return run;
}

const tensorsOf = (bytes: Bytes): Map<string, Bytes> => {
  const { tensors } = parseHeader(bytes, bytes.byteLength, 'test');
  expect(headerSize(bytes, bytes.byteLength, 'test')).toBeGreaterThan(8);
  return new Map([...tensors.values()].map(({ name, begin, end }) => [name, bytes.subarray(begin, end)]));
};

test('resumed at any step, in the middle of a period too, a run ends in the same bits', async () => {
  const { host, session } = await finished();
  const report = session.report();
  session.close();
  const want = await checkpointTensors(host.checkpoints.at(6));
  expect([...want.keys()].filter((name) => name.startsWith('master/'))).toEqual(['master/slot.0']);
  for (const step of [1, 2, 3, 5, 6]) {
    const resumed = await finished(host.checkpoints.at(step));
    const got = step === 6 ? want : await checkpointTensors(resumed.host.checkpoints.at(6));
    expect(differences(want, got), `from step ${step}`).toEqual([]);
    expect(timeless(resumed.host.steps), `from step ${step}`).toEqual(timeless(host.steps.slice(step)));
    const again = resumed.session.report();
    expect([again.rounding, again.evalLoss, again.updates]).toEqual([report.rounding, report.evalLoss, report.updates]);
    resumed.session.close();
  }
}, 180_000);

test('frozen is proven over every period; the export holds the file’s bits where nothing trained, and the rounded ones where something did', async () => {
  const { host, session } = await finished(null, 'every period');
  try {
    expect(host.of('verified').map(({ changed }) => changed)).toEqual([[], [], []]);
    const planned = bytesByClass(session.engine.plan.allBuffers);
    expect(session.forecasts.lisa.bytes).toEqual(planned);
    expect(session.engine.allocator.reading().live).toEqual(planned);
    expect(planned.masters).toBeGreaterThan(0);

    const report = session.report();
    const { rounding, evalLoss, stored } = report;
    const trained = new Set(report.schedule.flatMap(({ layers }) => layers));
    const [told] = host.of('rounded');
    expect(told.rounding).toEqual(rounding);
    expect(rounding?.layers).toEqual(report.schedule[2].layers);
    expect(evalLoss.at(-1)).toEqual({ step: 6, loss: rounding?.after });
    expect(rounding?.before).toBe(host.of('eval').at(-1)?.loss);
    expect(Math.abs(rounding!.after! - rounding!.before!)).toBeLessThan(0.01);
    expect(rounding?.after).not.toBe(rounding?.before);
    expect(stored!.bf16).toBeGreaterThan(10 * stored!.f32);
    console.info(`rounding back: held-out loss ${rounding!.before} → ${rounding!.after}`);

    const { files } = await exportTuned(session, 'bf16');
    const exported = await collect(files.find(({ path }) => path === 'model.safetensors')!.chunks());
    const [before, after] = [tensorsOf(file), tensorsOf(exported)];
    const changed = [...before].filter(([name, bytes]) => Buffer.compare(bytes, after.get(name)!) !== 0).map(([name]) => name);
    const mayChange = (name: string): boolean =>
      [...trained].some((layer) => name.startsWith(`model.layers.${layer}.`)) || name === 'model.norm.weight';
    expect(changed.filter((name) => !mayChange(name))).toEqual([]);
    expect(changed.length).toBeGreaterThan(trained.size);

    // As f32 it is the same model, value for value: nothing is rounded a second time.
    const wide = await exportTuned(session, 'f32');
    const widened = tensorsOf(await collect(wide.files.find(({ path }) => path === 'model.safetensors')!.chunks()));
    for (const row of inputs.files.table.filter(({ layer }) => layer !== null)) {
      if (session.engine.storedAs(row) === 'f32') continue;
      const words = new Uint32Array(widened.get(row.name)!.slice().buffer);
      const codes = new Uint16Array(after.get(row.name)!.slice().buffer);
      expect(
        words.every((word, i) => word === (codes[i] << 16) >>> 0),
        row.name,
      ).toBe(true);
    }
  } finally {
    session.close();
  }
}, 180_000);

test('a model file tells the type of each tensor', async () => {
  const files = await openModel(await nodeSource(join(folder.path, 'bf16')));
  expect(new Set(Object.values(files.types))).toEqual(new Set(['bf16']));
  expect(Object.keys(files.types)).toEqual(files.table.map(({ name }) => name));
});
