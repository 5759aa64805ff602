// Compiles kernels, once each. A compile error shows every message with its line and the line's text.

import { AppError } from '../base/errors';
import type { Kernel } from '../dispatch/types';

export class PipelineCache {
  static readonly #shared = new WeakMap<GPUDevice, PipelineCache>();
  readonly #device: GPUDevice;
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();
  readonly #layouts = new Map<string, GPUBindGroupLayout>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** One cache per device, so that the second run in a process does not compile the same kernels again. */
  static of(device: GPUDevice): PipelineCache {
    let cache = PipelineCache.#shared.get(device);
    if (!cache) {
      cache = new PipelineCache(device);
      PipelineCache.#shared.set(device, cache);
    }
    return cache;
  }

  get(kernel: Kernel): Promise<GPUComputePipeline> {
    let pending = this.#pipelines.get(kernel.key);
    if (!pending) {
      pending = this.#compile(kernel);
      this.#pipelines.set(kernel.key, pending);
    }
    return pending;
  }

  /** Explicit and shared between kernels of equal bindings; 'auto' would drop what a variant does not use. */
  layout(kernel: Kernel): GPUBindGroupLayout {
    const key = kernel.bindings.map((b) => `${b.binding}${b.access}`).join(' ');
    let layout = this.#layouts.get(key);
    if (!layout) {
      const uniform = (binding: number): GPUBindGroupLayoutEntry => ({
        binding,
        visibility: GPUShaderStage.COMPUTE,
        buffer: { type: 'uniform' },
      });
      layout = this.#device.createBindGroupLayout({
        entries: [
          uniform(0),
          uniform(1),
          ...kernel.bindings.map(({ binding, access }): GPUBindGroupLayoutEntry => ({
            binding,
            visibility: GPUShaderStage.COMPUTE,
            buffer: { type: access === 'read' ? 'read-only-storage' : 'storage' },
          })),
        ],
      });
      this.#layouts.set(key, layout);
    }
    return layout;
  }

  async #compile(kernel: Kernel): Promise<GPUComputePipeline> {
    this.#device.pushErrorScope('validation');
    const module = this.#device.createShaderModule({ label: kernel.key, code: kernel.wgsl });
    const scope = this.#device.popErrorScope();
    const [info, error] = await Promise.all([module.getCompilationInfo(), scope]);
    const lines = kernel.wgsl.split('\n');
    const faults = info.messages
      .filter((m) => m.type === 'error')
      .map((m) => `${kernel.name}.wgsl:${m.lineNum}:${m.linePos} ${m.message}\n  ${lines[m.lineNum - 1]?.trim() ?? ''}`);
    if (faults.length || error) {
      throw new AppError(
        'SHADER_COMPILE',
        `Kernel ${kernel.key} does not compile:\n${faults.join('\n') || error?.message}`,
        'Please report it with the name of your graphics card.',
      );
    }
    const layout = this.#device.createPipelineLayout({ bindGroupLayouts: [this.layout(kernel)] });
    try {
      return await this.#device.createComputePipelineAsync({ label: kernel.key, layout, compute: { module, entryPoint: 'main' } });
    } catch (cause) {
      throw new AppError(
        'SHADER_COMPILE',
        `Kernel ${kernel.key} was refused: ${(cause as Error).message}`,
        'Please report it with the name of your graphics card.',
        { cause },
      );
    }
  }
}
