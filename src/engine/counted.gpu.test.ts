// If the page has just inspected the data, a run does not tokenise them again, and is the same run to the last bit.

import { afterAll, expect, test } from 'vitest';
import type { RunConfig } from '../config/run-config';
import { temporaryFolder } from '../testing/tiny-folder';
import { pickedModel, TestPage } from '../testing/tiny-service';
import { textRows, TINY_CONFIG } from '../testing/tiny-session';
import type { DataSource } from '../io/sources/run-sources';
import type { RunReport } from '../train/events';

const folder = temporaryFolder('counted');
afterAll(() => folder.remove());
const MODEL = pickedModel(folder.path, 'tiny-llama');
const CONFIG: RunConfig = { ...TINY_CONFIG, steps: 2, saveEvery: 0, evalEvery: 0 };

/** Data that count how many of their bytes were read. */
function counted(): { readonly data: DataSource; readonly read: () => number } {
  const bytes = Uint8Array.from(textRows(60).bytes);
  let read = 0;
  const file = new File([bytes], 'rows.jsonl');
  file.stream = () => {
    let at = 0;
    return new ReadableStream({
      pull(controller) {
        const part = bytes.slice(at, at + 128);
        at += part.byteLength;
        read += part.byteLength;
        controller.enqueue(part);
        if (at === bytes.byteLength) controller.close();
      },
    });
  };
  return { data: { kind: 'file', file }, read: () => read };
}

/** `before`, `read`: bytes of the data that were read before the start, and from then on. */
async function run(
  look: boolean,
): Promise<{ readonly report: RunReport; readonly read: number; readonly before: number; readonly size: number }> {
  const { data, read } = counted();
  const page = new TestPage();
  await page.send({ type: 'open', base: 'http://localhost/' });
  await page.next(({ type }) => type === 'speed' || undefined, 0);
  if (look) {
    const answer = page.next(({ type }) => type === 'inspected' || undefined);
    await page.send({ type: 'inspect', id: 1, config: { ...CONFIG, seqLen: 8 }, model: MODEL, data });
    await answer;
  }
  const before = read();
  await page.start('a', CONFIG, MODEL, data);
  const { report } = await page.nextOf('a', 'done', undefined, 0);
  await page.send({ type: 'discard' });
  const size = data.kind === 'file' ? data.file.size : 0;
  return { report, read: read() - before, before, size };
}

test('the losses are the same, and no more than a first piece of the file is read again', async () => {
  const [plain, looked] = [await run(false), await run(true)];
  expect(looked.report.evalLoss).toEqual(plain.report.evalLoss);
  expect(looked.report.updates).toEqual(plain.report.updates);
  console.log(`the run read ${plain.read} bytes of ${plain.size}; after a look ${looked.read}`);
  // Each run copies its data once, so that what it leaves can be opened again.
  const { size } = plain;
  expect(looked.before).toBe(size);
  expect(plain.read - size).toBe(size);
  expect(looked.read - size).toBeLessThan(size / 4);
});
