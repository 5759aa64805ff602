// Counts the bytes of a device's buffers from outside: what createBuffer was asked for, less what was destroyed.

import type { Gpu } from '../gpu/device';

export interface BufferSpy {
  /** Bytes of buffers that were created since and live. */
  live(): number;
  /** Calls of createBuffer since. */
  created(): number;
  /** Takes the spy off the device. */
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
