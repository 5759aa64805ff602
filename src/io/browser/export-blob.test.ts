// An export leaves the worker in pieces: the largest that is ever in memory, the same bytes as the chunks, one at a time.

import { crc32 as oracle } from 'node:zlib';
import { afterEach, expect, test, vi } from 'vitest';
import { exportModel } from '../../export/folder';
import { blobOf } from './export-blob';
import { openModel } from '../sources/model-files';
import { PIECE_ELEMENTS } from '../formats/pieces';
import { collect, memorySource, modelFolder, TINY_LLAMA } from '../../testing/tiny-model';

afterEach(() => vi.unstubAllGlobals());

/** An embedding of 2.8M elements: three pieces. */
const LARGE = { ...TINY_LLAMA, vocab_size: 350_000 };

/** Counts bytes that were handed to a Blob and that it has not been asked for since. */
function watchBlobs(): { readonly pieces: number[]; readonly largestHeld: () => number } {
  const pieces: number[] = [];
  let [held, most] = [0, 0];
  class Watched extends Blob {
    readonly #own: number;

    constructor(parts: BlobPart[]) {
      super(parts);
      this.#own = parts.reduce((sum, part) => sum + (part instanceof Uint8Array ? part.byteLength : 0), 0);
      if (this.#own === 0) return;
      pieces.push(this.#own);
      held += this.#own;
      most = Math.max(most, held);
    }

    override slice(start?: number, end?: number): Blob {
      held -= this.#own;
      return super.slice(start, end);
    }
  }
  vi.stubGlobal('Blob', Watched);
  return { pieces, largestHeld: () => most };
}

test('a tensor of several pieces: one is held at a time, and the bytes are those of the chunks', async () => {
  const files = await openModel(memorySource(await modelFolder(LARGE)));
  const model = await exportModel({ files, tensor: files.tensor, dtype: 'f32' });
  const weights = model.files[0];
  const { pieces, largestHeld } = watchBlobs();
  const made = await blobOf(weights);
  vi.unstubAllGlobals();
  const whole = await collect(weights.chunks());
  console.log(`${weights.size} bytes in ${pieces.length} pieces, the largest ${Math.max(...pieces)}, held at once ${largestHeld()}`);
  expect(weights.size).toBeGreaterThan(11e6);
  expect(Math.max(...pieces)).toBe(PIECE_ELEMENTS * 4);
  expect(largestHeld()).toBe(PIECE_ELEMENTS * 4);
  expect(Buffer.compare(Buffer.from(await made.data.arrayBuffer()), Buffer.from(whole))).toBe(0);
  expect(made.crc32).toBe(oracle(whole));
});

test('what the browser cannot keep is told, with the file', async () => {
  class Refused extends Blob {
    override arrayBuffer(): Promise<ArrayBuffer> {
      return Promise.reject(new DOMException('The file could not be read.', 'NotReadableError'));
    }

    override slice(): Blob {
      return this;
    }
  }
  vi.stubGlobal('Blob', Refused);
  const files = await openModel(memorySource(await modelFolder(TINY_LLAMA)));
  const [weights] = (await exportModel({ files, tensor: files.tensor, dtype: 'f32' })).files;
  await expect(blobOf(weights)).rejects.toMatchObject({
    code: 'STORAGE',
    detail: expect.stringContaining('model.safetensors') as string,
  });
});
