// Where a tensor is cut by rows: WebGPU's default limits let a kernel bind 128 MiB of a buffer, and a vocabulary matrix may be
// larger. Cuts do not follow the device, so that plan, forecast and checkpoint are the same on all.

/** Longest shard: one binding under WebGPU's default limits. */
export const SHARD_BYTES = 134217728;

/** Rows of `columns` f32 of a shard: a multiple of 64, so that each shard is one of 256 bytes, where any binding may start. */
export const rowsOfShard = (columns: number, shardBytes: number = SHARD_BYTES): number =>
  Math.max(64, Math.floor(shardBytes / (4 * columns) / 64) * 64);
