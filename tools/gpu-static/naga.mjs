// @ts-check
// naga, the shader compiler of Firefox (wgpu), offline as WebAssembly: parses and validates kernels, and writes SPIR-V, HLSL and MSL.

import { messageOf } from './common.mjs';

/**
 * What naga refuses, one sentence a kernel.
 * @param {readonly import('./common.mjs').NamedKernel[]} kernels
 */
export async function nagaFaults(kernels) {
  const { parseWgsl, validate, writeHlsl, writeMsl, writeSpirv } = await import('naga-wasm');
  /** @type {string[]} */
  const faults = [];
  for (const { key, wgsl } of kernels) {
    try {
      const module = parseWgsl(wgsl);
      const info = validate(module);
      writeSpirv(module, info);
      writeHlsl(module, info);
      writeMsl(module, info);
      info.free();
      module.free();
    } catch (error) {
      const told = error instanceof Error && 'formatted' in error ? String(error.formatted) : messageOf(error);
      faults.push(`${key}: ${told}`);
    }
  }
  return faults;
}
