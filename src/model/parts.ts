// Where a tensor is cut by rows: WebGPU's default limits let a kernel bind 128 MiB of a buffer, and a vocabulary matrix may be
// larger. Cuts do not follow the device, so that plan, forecast and checkpoint are the same on all.

/** Longest part: one binding under WebGPU's default limits. */
export const PART_BYTES = 134217728;

/** Rows of `columns` f32 of a part: a multiple of 64, so that each part is one of 256 bytes, where any binding may start. */
export const rowsOfPart = (columns: number, partBytes: number = PART_BYTES): number =>
  Math.max(64, Math.floor(partBytes / (4 * columns) / 64) * 64);
