// What an export says of itself is true of its files: shards open as the model that was trained, and the last held-out loss is
// the loss of what was written.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { RunConfig } from '../config/run-config';
import { writeFolder } from '../io/node/output';
import { planOutput } from '../io/node/output-folder';
import { nodeSource } from '../io/node/source';
import { openModel } from '../io/sources/model-files';
import { temporaryFolder } from '../testing/tiny-folder';
import { openTiny, textRows, TINY_CONFIG, tinyInputs } from '../testing/tiny-session';
import { cardFile, exportTuned } from './run';
import { prepareInputs } from '../train/prepare';
import type { Session } from '../train/session';

const folder = temporaryFolder('export');
afterAll(() => folder.remove());

const CONFIG: RunConfig = { ...TINY_CONFIG, steps: 3, evalEvery: 0, saveEvery: 0, sampleTokens: 1 };
const ROWS = textRows(8);

async function trained(change: Partial<RunConfig>): Promise<Session> {
  const { session } = await openTiny(await tinyInputs(folder.path, 'tiny-llama', { ...CONFIG, ...change }, ROWS));
  await session.run();
  return session;
}

test('weights above the limit go into shards that open as the tuned model; an earlier single file goes', async () => {
  const session = await trained({});
  const out = join(folder.path, 'shards');
  const place = await (await planOutput({ flag: '--out', path: out, inputs: [], overwrite: false })).claim();
  await place.write((await exportTuned(session, 'f32')).files);
  expect(readdirSync(out)).toContain('model.safetensors');
  await place.write((await exportTuned(session, 'f32', 20_000)).files);
  const names = readdirSync(out);
  expect(names).not.toContain('model.safetensors');
  expect(names).toContain('model.safetensors.index.json');
  expect(names.filter((name) => /^model-\d{5}-of-\d{5}\.safetensors$/.test(name)).length).toBeGreaterThan(2);
  const again = await openModel(await nodeSource(out));
  for (const row of session.inputs.files.table)
    expect(Buffer.compare(Buffer.from((await again.tensor(row)).buffer), Buffer.from((await session.engine.readTensor(row)).buffer))).toBe(
      0,
    );
  await place.write((await exportTuned(session, 'bf16')).files);
  expect(readdirSync(out).filter((name) => name.startsWith('model'))).toEqual(['model.safetensors']);
  await place.release();
  session.close();
});

describe.each(['lisa', 'lora'] as const)('%s, exported in 16 bits', (method) => {
  test.each(['f16', 'bf16'] as const)('%s: the last held-out loss is that of the files', async (dtype) => {
    const session = await trained({ method });
    const out = join(folder.path, `${method}-${dtype}`);
    const { files, survival } = await exportTuned(session, dtype);
    await writeFolder(out, files);
    expect(survival()!.changed).toBeGreaterThan(0);
    const plain = session.report().evalLoss.at(-1)!;
    const written = await openModel(await nodeSource(out));
    session.engine.close();
    expect(await session.evaluations.measureExported(3, dtype, (...part) => written.tensor(...part))).toBe(true);
    const rounded = session.report().evalLoss.at(-1)!;
    expect(rounded).toEqual({ step: plain.step, loss: expect.any(Number) as number, weights: dtype });
    expect(rounded.loss).not.toBe(plain.loss);
    await writeFolder(out, [cardFile(session, dtype)]);
    expect(readFileSync(join(out, 'README.md'), 'utf8')).toContain(
      `${rounded.loss.toFixed(4)} after step 3 (nats a target, of the weights in ${dtype})`,
    );
    session.close();

    const inputs = await prepareInputs(
      { ...CONFIG, method, steps: 1, warmup: 0 },
      { model: await nodeSource(out), data: ROWS, evalData: null },
    );
    const { session: fresh } = await openTiny(inputs);
    await fresh.run();
    console.log(`${method} ${dtype}: ${plain.loss} as trained, ${rounded.loss} rounded, ${fresh.report().evalLoss[0].loss} of the files`);
    expect(fresh.report().evalLoss[0].loss).toBe(rounded.loss);
    fresh.close();
  });
});
