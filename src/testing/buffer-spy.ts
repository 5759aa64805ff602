// Counts the bytes of a device's buffers from outside: the bytes that createBuffer was asked for, minus the destroyed ones.

import type { Gpu } from '../gpu/device';

export interface BufferSpy {
  /** Bytes of buffers that were created since the spy began and that still exist. */
  live(): number;
  /** Calls of createBuffer since then. */
  created(): number;
  /** Removes the spy from the device. */
  end(): void;
}

export function spyOnBuffers({ device }: Gpu): BufferSpy {
  const original = device.createBuffer;
  let live = 0;
  let created = 0;
  device.createBuffer = (descriptor: GPUBufferDescriptor): GPUBuffer => {
    const buffer = original.call(device, descriptor);
    const destroy = buffer.destroy;
    let gone = false;
    live += descriptor.size;
    created++;
    buffer.destroy = (): undefined => {
      if (!gone) live -= descriptor.size;
      gone = true;
      destroy.call(buffer);
    };
    return buffer;
  };
  return {
    live: () => live,
    created: () => created,
    end: () => {
      device.createBuffer = original;
    },
  };
}
