// Whole runs with every block in many buffers: checkpoint and resume, parked state, the proof of frozen weights and the export.

import { afterAll, expect, test } from 'vitest';
import type { RunConfig } from '../config/run-config';
import { collect } from '../testing/tiny-model';
import { headerSize, parseHeader } from '../io/formats/safetensors';
import { temporaryFolder } from '../testing/tiny-folder';
import {
  checkpointTensors,
  differences,
  openTiny,
  TestHost,
  textRows,
  timeless,
  TINY_CONFIG,
  tinyInputs,
  trainedBytes,
} from '../testing/tiny-session';
import { exportTuned } from '../export/run';

const folder = temporaryFolder('parts');
afterAll(() => folder.remove());

const CONFIG: RunConfig = {
  ...TINY_CONFIG,
  steps: 5,
  lisaPeriod: 2,
  lisaState: 'park',
  lisaTrain: { embedding: false, head: true, norm: true },
  evalSplit: 0,
  sampleTokens: 1,
  sampleAt: 'ends',
};

test('a run in parts is resumed to the same bits, proves what is frozen, and is exported whole', async () => {
  const inputs = await tinyInputs(folder.path, 'tiny-llama', CONFIG, textRows(4));
  const run = async (from: Parameters<typeof openTiny>[1], before?: 'tamper') => {
    const host = new TestHost();
    host.proof = 'on request';
    const { session } = await openTiny(inputs, from, host, 1);
    let asked = false;
    host.onGate = async () => {
      if (asked || session.state.completed < 4) return 'go';
      asked = true;
      await session.drain();
      if (before) {
        const row = inputs.files.table[0];
        const values = await session.engine.readTensor(row);
        new Uint32Array(values.buffer)[values.length - 1] ^= 1;
        session.engine.writeTensor(row, values);
      }
      return 'verify';
    };
    await session.run();
    const [verified] = host.of('verified');
    return { host, session, weights: await trainedBytes(session), verified };
  };

  const whole = await run(null);
  const { store } = whole.session.engine.plan.buffers.blocks.get('embedding')!;
  expect(store.parts).toHaveLength(5);
  expect(whole.verified).toMatchObject({ step: 4, changed: [] });
  expect(whole.verified.frozen).toContain('embedding');

  // A checkpoint has a tensor a buffer, none longer than a part or a matrix.
  const saved = await checkpointTensors(whole.host.checkpoints.at(3));
  expect([...saved.keys()].filter((name) => name.startsWith('weights/embedding/'))).toHaveLength(5);
  expect([...saved.keys()].filter((name) => name.startsWith('m/head/'))).toHaveLength(5);

  const resumed = await run(whole.host.checkpoints.at(3));
  expect(differences(resumed.weights, whole.weights)).toEqual([]);
  expect(timeless(resumed.host.steps)).toEqual(timeless(whole.host.steps.slice(3)));
  expect(resumed.verified).toMatchObject({ step: 4, changed: [] });
  resumed.session.close();

  const tampered = await run(whole.host.checkpoints.at(3), 'tamper');
  expect(tampered.verified.changed).toEqual(['embedding']);
  tampered.session.close();

  const model = (await exportTuned(whole.session, 'f32')).files.find(({ path }) => path === 'model.safetensors')!;
  const bytes = await collect(model.chunks());
  const size = headerSize(bytes, bytes.length, 'model');
  const { tensors } = parseHeader(bytes.subarray(0, size), bytes.length, 'model');
  for (const row of inputs.files.table) {
    const { begin, end } = tensors.get(row.name)!;
    const values = await whole.session.engine.readTensor(row);
    expect(Buffer.compare(bytes.subarray(begin, end), new Uint8Array(values.buffer)), row.name).toBe(0);
    const { store: own, layout } = whole.session.engine.plan.buffers.blocks.get(row.block)!;
    const { offset, elements } = layout.places.get(row.local)!;
    const block = await whole.session.engine.readStore(own);
    expect(Buffer.compare(block.subarray(offset, offset + 4 * elements), new Uint8Array(values.buffer)), row.name).toBe(0);
  }
  whole.session.close();
});
