// @ts-check
// Run by radv.mjs: makes a pipeline of every kernel of a list with Dawn, which writes each one's SPIR-V to standard
// output as text; a line '@@ n' goes before what belongs to kernel n.
//   node dump.mjs KERNELS.json on|off

import { readFileSync, writeSync } from 'node:fs';
import process from 'node:process';

import { create, globals } from 'webgpu';
import { messageOf } from './common.mjs';

const [, , list, robust] = process.argv;
Object.assign(globalThis, globals);

// With vulkan_use_buffer_robust_access_2, Dawn leaves the checks of storage buffers to a driver that can make them. Off, so that the text
// does not depend on the driver at hand, and is what it would be for Direct3D and Metal.
const toggles = robust === 'on' ? 'dump_shaders' : 'dump_shaders,disable_robustness';
const gpu = create([`enable-dawn-features=${toggles}`, 'disable-dawn-features=vulkan_use_buffer_robust_access_2']);
const kept = { gpu }; // the device does not keep it from being collected
const adapter = await gpu.requestAdapter();
if (adapter === null) {
  process.stderr.write('Dawn finds no adapter.\n');
  process.exit(2);
}
const { maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup, maxStorageBuffersPerShaderStage } = adapter.limits;
const device = await adapter.requestDevice({
  requiredFeatures: /** @type {const} */ (['shader-f16', 'subgroups']).filter((name) => adapter.features.has(name)),
  requiredLimits: { maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup, maxStorageBuffersPerShaderStage },
});

let refused = 0;
/** @type {import('./common.mjs').NamedKernel[]} */
const kernels = JSON.parse(readFileSync(list, 'utf8'));
for (const [n, { key, wgsl }] of kernels.entries()) {
  const entryPoint = /@compute[^{]*?\bfn\s+(\w+)/s.exec(wgsl)?.[1];
  writeSync(1, `\n@@ ${n}\n`);
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ code: wgsl });
  const faults = (await module.getCompilationInfo()).messages.filter(({ type }) => type === 'error');
  await device.popErrorScope();
  try {
    if (faults.length) throw new Error(faults.map(({ lineNum, linePos, message }) => `${lineNum}:${linePos} ${message}`).join('; '));
    await device.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint } });
  } catch (error) {
    refused++;
    process.stderr.write(`Dawn refuses ${key}: ${messageOf(error)}\n`);
  }
}
writeSync(1, '\n@@ end\n');
process.stderr.write(`${adapter.info.description || adapter.info.vendor}\n`);
void kept.gpu;
process.exit(refused ? 1 : 0);
