// The only place that creates GPU buffers, and the ledger of live buffers. Figures on screen come from here.

import { AppError } from '../base/errors';
import { bytesByBlock, bytesByClass, sumBytes, zeroBytes, type BytesByBlock, type ClassBytes } from '../dispatch/memory';
import type { BufferKind, BufferSpec } from '../dispatch/types';

export interface LedgerReading {
  readonly live: ClassBytes;
  readonly liveTotal: number;
  /** Bytes by class at the moment of the highest total. */
  readonly peak: ClassBytes;
  readonly peakTotal: number;
  /** Live bytes by block of the model. */
  readonly byBlock: BytesByBlock;
  /** Bytes by block at the moment of the highest total. */
  readonly peakByBlock: BytesByBlock;
}

const USAGE: Record<BufferKind, () => GPUBufferUsageFlags> = {
  storage: () => GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
  uniform: () => GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
  readback: () => GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  query: () => GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
};

export class Allocator {
  readonly #device: GPUDevice;
  readonly #buffers = new Map<BufferSpec, GPUBuffer>();
  #peak = zeroBytes();
  #peakByBlock: BytesByBlock = {};
  #peakTotal = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /**
   * Creates a zero-filled buffer for every spec. All or nothing: if one fails, the buffers of this call are destroyed again
   * and GPU_OOM names the one that failed.
   */
  async allocate(specs: readonly BufferSpec[]): Promise<void> {
    const outcomes = specs.map((spec) => {
      if (this.#buffers.has(spec)) throw new AppError('INTERNAL', `Buffer ${spec.name} is allocated twice.`, '');
      this.#device.pushErrorScope('validation');
      this.#device.pushErrorScope('out-of-memory');
      const buffer = this.#device.createBuffer({ label: spec.name, size: spec.bytes, usage: USAGE[spec.kind]() });
      this.#buffers.set(spec, buffer);
      return { spec, errors: [this.#device.popErrorScope(), this.#device.popErrorScope()] };
    });
    this.#notePeak();
    for (const { spec, errors } of outcomes) {
      const error = (await Promise.all(errors)).find((e) => e !== null);
      if (!error) continue;
      this.free(specs);
      throw new AppError(
        'GPU_OOM',
        `The GPU could not allocate ${(spec.bytes / 2 ** 20).toFixed(1)} MiB for ${spec.name} (${spec.memory}).`,
        'Lower the batch size, the context length or γ, or close other tabs and programs that use the GPU.',
        { cause: error },
      );
    }
  }

  buffer(spec: BufferSpec): GPUBuffer {
    const buffer = this.#buffers.get(spec);
    if (!buffer) throw new AppError('INTERNAL', `Buffer ${spec.name} is not allocated.`, '');
    return buffer;
  }

  free(specs: Iterable<BufferSpec>): void {
    for (const spec of specs) {
      this.#buffers.get(spec)?.destroy();
      this.#buffers.delete(spec);
    }
  }

  freeAll(): void {
    this.free([...this.#buffers.keys()]);
  }

  reading(): LedgerReading {
    const live = bytesByClass(this.#buffers.keys());
    return {
      live,
      liveTotal: sumBytes(live),
      peak: { ...this.#peak },
      peakTotal: this.#peakTotal,
      byBlock: bytesByBlock(this.#buffers.keys()),
      peakByBlock: { ...this.#peakByBlock },
    };
  }

  #notePeak(): void {
    const live = bytesByClass(this.#buffers.keys());
    const total = sumBytes(live);
    if (total > this.#peakTotal) {
      this.#peakTotal = total;
      this.#peak = live;
      this.#peakByBlock = bytesByBlock(this.#buffers.keys());
    }
  }
}
