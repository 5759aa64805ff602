// Opens the GPU device with the limits the engine can use, and watches over it. It knows nothing about models. Its errors fit
// both the page and the terminal; the page adds advice for each browser.

import { AppError } from '../base/errors';
import type { DeviceDescription, DeviceLimits } from '../dispatch/limits';

export interface Gpu {
  readonly device: GPUDevice;
  readonly description: DeviceDescription;
  readonly limits: DeviceLimits;
  /** Features that the device was opened with. */
  readonly features: ReadonlySet<string>;
  /** Features that the adapter offers, used or not. */
  readonly offered: ReadonlySet<string>;
  /** Resolves with the reason when the device is lost, never when we destroyed it ourselves. */
  readonly lost: Promise<AppError>;
  /** The first validation or internal error that no error scope caught, since the last takeFault(). */
  fault(): AppError | undefined;
  /** Returns fault() once, so that the next run on this device is not blamed for an earlier one. */
  takeFault(): AppError | undefined;
  close(): void;
}

export interface OpenOptions {
  readonly powerPreference?: GPUPowerPreference;
  /** Ask for WebGPU's default limits only, to prove that they suffice. */
  readonly defaultLimits?: boolean;
  readonly timestamps?: boolean;
}

export async function openGpu(gpu: GPU | undefined, options: OpenOptions = {}): Promise<Gpu> {
  if (!gpu) {
    throw new AppError(
      'NO_WEBGPU',
      'This browser does not offer WebGPU.',
      'Use a current Chrome or Edge on a desktop, over https or localhost.',
    );
  }
  const adapter = await gpu.requestAdapter({ powerPreference: options.powerPreference ?? 'high-performance' });
  if (!adapter) {
    throw new AppError(
      'NO_ADAPTER',
      'WebGPU is available, but no graphics adapter answered.',
      'Update the graphics driver and try again, or use a machine with a graphics card.',
    );
  }
  const requiredLimits: Record<string, number> = {};
  if (!options.defaultLimits) {
    requiredLimits.maxBufferSize = adapter.limits.maxBufferSize;
    requiredLimits.maxStorageBufferBindingSize = adapter.limits.maxStorageBufferBindingSize;
  }
  const requiredFeatures: GPUFeatureName[] = [];
  if (options.timestamps && adapter.features.has('timestamp-query')) requiredFeatures.push('timestamp-query');
  const device = await adapter.requestDevice({ requiredLimits, requiredFeatures });
  return watch(device, describe(adapter.info), new Set(adapter.features));
}

function describe(info: GPUAdapterInfo): DeviceDescription {
  const text = [info.vendor, info.architecture, info.device, info.description].join(' ').toLowerCase();
  return {
    vendor: info.vendor,
    architecture: info.architecture,
    description: info.description || info.device || info.vendor || 'unnamed adapter',
    software: info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|microsoft basic render/.test(text),
  };
}

function watch(device: GPUDevice, description: DeviceDescription, offered: ReadonlySet<string>): Gpu {
  let first: AppError | undefined;
  let closed = false;
  device.addEventListener('uncapturederror', (event) => {
    const { error } = event;
    const code = error instanceof GPUOutOfMemoryError ? 'GPU_OOM' : 'GPU_VALIDATION';
    first ??= new AppError(
      code,
      `The GPU reported an error: ${error.message}`,
      'Stop this run; the last checkpoint is safe. Please report it.',
    );
  });
  const lost = new Promise<AppError>((resolve) => {
    void device.lost.then((info) => {
      if (closed || info.reason === 'destroyed') return;
      resolve(
        new AppError(
          'DEVICE_LOST',
          `The graphics device was lost (${info.message || info.reason}).`,
          'Reload the page, or start the command again, and resume from the last checkpoint. If it happens again, use a smaller batch or context length.',
        ),
      );
    });
  });
  const { limits } = device;
  return {
    device,
    description,
    limits: {
      maxBufferSize: limits.maxBufferSize,
      maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
      maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
      maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
      maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
      maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
    },
    features: new Set(device.features),
    offered,
    lost,
    fault: () => first,
    takeFault() {
      const taken = first;
      first = undefined;
      return taken;
    },
    close() {
      closed = true;
      device.destroy();
    },
  };
}
