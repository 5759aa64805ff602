// What plans, the page and the terminal know about a graphics device: its description and its limits.

export interface DeviceDescription {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  /** A CPU renderer (SwiftShader, lavapipe, WARP): correct, but slow. */
  readonly software: boolean;
}

/** The limits that plans are validated against. */
export interface DeviceLimits {
  readonly maxBufferSize: number;
  readonly maxStorageBufferBindingSize: number;
  readonly maxStorageBuffersPerShaderStage: number;
  readonly maxComputeWorkgroupStorageSize: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
  readonly maxComputeWorkgroupsPerDimension: number;
}

/** WebGPU's guaranteed minimum; the engine works under these. */
export const DEFAULT_LIMITS: DeviceLimits = {
  maxBufferSize: 268435456,
  maxStorageBufferBindingSize: 134217728,
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupsPerDimension: 65535,
};
