// Fill in a plain loop: the reference of the kernel's test.

/** x with its first `elements`, up to the end of their last four, set to value. A later micro-batch of a step that clears only in the first leaves x as it was. */
export function fillRef(x: ArrayLike<number>, elements: number, value: number, onlyFirst: boolean, accumulate: boolean): Float64Array {
  const filled = Float64Array.from(x);
  if (onlyFirst && accumulate) return filled;
  for (let i = 0; i < Math.ceil(elements / 4) * 4 && i < filled.length; i++) filled[i] = value;
  return filled;
}
