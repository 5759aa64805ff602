// Finds what WebGPU would refuse or silently get wrong, before anything runs. Pure; used on every plan in
// tests and in development runs.

import { AppError } from '../base/errors';
import type { DeviceLimits } from './limits';
import { BINDING_ALIGNMENT, type BufferSpec, type Dispatch, type Segment } from './types';
import { gridSize, type Extents } from './extents';

/** Every rule that the dispatches break, one sentence each; empty when the plan is sound. */
export function planFaults(buffers: readonly BufferSpec[], segments: Iterable<Segment>, capacity: Extents, limits: DeviceLimits): string[] {
  const faults: string[] = [];
  const known = new Set(buffers);
  if (known.size !== buffers.length) faults.push('a buffer is listed twice');
  for (const { name, bytes } of buffers) {
    if (bytes % 16 !== 0 || bytes <= 0) faults.push(`${name}: ${bytes} bytes is not a positive multiple of 16`);
    if (bytes > limits.maxBufferSize) faults.push(`${name}: ${bytes} bytes is above the device's buffer limit ${limits.maxBufferSize}`);
  }
  for (const segment of segments) {
    for (const dispatch of segment.dispatches) {
      for (const fault of dispatchFaults(dispatch, known, capacity, limits))
        faults.push(`${segment.name}: ${dispatch.label} (${dispatch.kernel.name}): ${fault}`);
    }
  }
  return faults;
}

export function assertPlan(buffers: readonly BufferSpec[], segments: Iterable<Segment>, capacity: Extents, limits: DeviceLimits): void {
  const faults = planFaults(buffers, segments, capacity, limits);
  if (faults.length === 0) return;
  const tooLarge = faults.find((f) => f.includes("device's"));
  if (tooLarge) {
    throw new AppError(
      'LIMIT_TOO_SMALL',
      `This model needs more than the graphics device allows: ${tooLarge}.`,
      'Choose a smaller model, batch or context length, or a device with larger limits.',
    );
  }
  throw new AppError('INTERNAL', `The step plan is not sound: ${faults.slice(0, 5).join('; ')}.`, 'Please report it.');
}

function dispatchFaults(dispatch: Dispatch, known: ReadonlySet<BufferSpec>, capacity: Extents, limits: DeviceLimits): string[] {
  const faults: string[] = [];
  const { kernel, views, params, grid } = dispatch;
  if (views.length !== kernel.bindings.length) faults.push(`${views.length} views for ${kernel.bindings.length} bindings`);
  if (kernel.bindings.length > limits.maxStorageBuffersPerShaderStage)
    faults.push(`${kernel.bindings.length} storage buffers, the limit is ${limits.maxStorageBuffersPerShaderStage}`);
  if (params.byteLength > BINDING_ALIGNMENT || params.byteLength % 16 !== 0) faults.push(`params of ${params.byteLength} bytes`);
  kernel.bindings.forEach((binding, at) => {
    const view = views[at];
    if (!view) return;
    if (!known.has(view.buffer)) faults.push(`${binding.name}: buffer ${view.buffer.name} is not in the plan`);
    if (view.buffer.kind !== 'storage') faults.push(`${binding.name}: ${view.buffer.name} is not a storage buffer`);
    if (view.offset % BINDING_ALIGNMENT !== 0)
      faults.push(`${binding.name}: offset ${view.offset} is not a multiple of ${BINDING_ALIGNMENT}`);
    if (view.bytes % 4 !== 0 || view.bytes <= 0) faults.push(`${binding.name}: size ${view.bytes} is not a positive multiple of 4`);
    if (view.offset + view.bytes > view.buffer.bytes)
      faults.push(`${binding.name}: range ends at ${view.offset + view.bytes} of ${view.buffer.bytes} bytes`);
    if (view.bytes > limits.maxStorageBufferBindingSize)
      faults.push(`${binding.name}: ${view.bytes} bytes is above the device's binding limit ${limits.maxStorageBufferBindingSize}`);
    for (let other = 0; other < at; other++) {
      const theirs = views[other];
      if (!theirs || theirs.buffer !== view.buffer) continue;
      const accesses = [binding.access, kernel.bindings[other].access];
      if (accesses.every((access) => access === 'read')) continue;
      // WebGPU tracks whole buffers: reading one range while writing another is refused all the same.
      if (accesses.includes('read'))
        faults.push(`${kernel.bindings[other].name} and ${binding.name} read and write ${view.buffer.name} in one dispatch`);
      else if (view.offset < theirs.offset + theirs.bytes && theirs.offset < view.offset + view.bytes)
        faults.push(`${kernel.bindings[other].name} and ${binding.name} overlap in ${view.buffer.name}`);
    }
  });
  for (const dim of grid) {
    const groups = gridSize(dim, capacity);
    if (!Number.isInteger(groups) || groups < 0) faults.push(`grid dimension ${groups}`);
    else if (groups > limits.maxComputeWorkgroupsPerDimension)
      faults.push(`${groups} workgroups in a dimension are above the device's limit ${limits.maxComputeWorkgroupsPerDimension}`);
  }
  const threads = workgroupThreads(kernel.wgsl);
  // Not "greater than the limit": a size that cannot be read off the text is NaN and a fault too.
  if (!(threads <= limits.maxComputeInvocationsPerWorkgroup)) faults.push(`${threads} invocations a workgroup`);
  const shared = workgroupBytes(kernel.wgsl);
  if (!(shared <= limits.maxComputeWorkgroupStorageSize)) faults.push(`${shared} bytes of workgroup memory`);
  return faults;
}

/** Value of a constant expression of whole numbers, named constants, + - * / and parentheses; NaN if it is not one. */
function constantValue(wgsl: string, expression: string): number {
  const tokens = expression.match(/\w+|[^\s\w]/g) ?? [];
  let at = 0;
  const atom = (): number => {
    const token = tokens[at++] ?? '';
    if (token === '(') {
      const value = sum();
      return tokens[at++] === ')' ? value : NaN;
    }
    if (/^\d+u?$/.test(token)) return parseInt(token, 10);
    const declared = /^\w+$/.test(token) && new RegExp(`const ${token}(?::\\s*u32)?\\s*=\\s*([^;]+);`).exec(wgsl);
    return declared ? constantValue(wgsl, declared[1]) : NaN;
  };
  const product = (): number => {
    let value = atom();
    while (tokens[at] === '*' || tokens[at] === '/') value = tokens[at++] === '*' ? value * atom() : Math.floor(value / atom());
    return value;
  };
  const sum = (): number => {
    let value = product();
    while (tokens[at] === '+' || tokens[at] === '-') value += tokens[at++] === '+' ? product() : -product();
    return value;
  };
  const value = sum();
  return at === tokens.length ? value : NaN;
}

/** Invocations of a workgroup, from the text; NaN if it is not a constant. */
export function workgroupThreads(wgsl: string): number {
  const found = /@workgroup_size\(([^)]*)\)/.exec(wgsl);
  return found ? found[1].split(',').reduce((product, size) => product * constantValue(wgsl, size), 1) : NaN;
}

const ELEMENT_BYTES: Record<string, number> = { f32: 4, u32: 4, i32: 4, vec2f: 8, vec4f: 16, 'vec4<f32>': 16, 'vec2<f32>': 8 };

function workgroupBytes(wgsl: string): number {
  let bytes = 0;
  for (const [, type] of wgsl.matchAll(/var<workgroup>\s+\w+\s*:\s*([^;]+);/g)) bytes += typeBytes(wgsl, type.trim());
  return bytes;
}

/** Bytes of a type, an array of arrays too. */
function typeBytes(wgsl: string, type: string): number {
  const array = /^array<(.+),\s*([^,<>]+)>$/.exec(type);
  return array ? typeBytes(wgsl, array[1].trim()) * constantValue(wgsl, array[2]) : (ELEMENT_BYTES[type] ?? NaN);
}
