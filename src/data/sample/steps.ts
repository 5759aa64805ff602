// Long work in small steps: a generator yields its progress (0 to 1), so that its caller can do other work in between, or stop.

export type Steps<T> = Generator<number, T>;

/** Rows between two steps. */
export const ROWS_A_STEP = 32;

/** The same steps, with their share of a larger work: from `start`, over `length` of it. */
export function* within<T>(steps: Steps<T>, start: number, length: number): Steps<T> {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    yield start + value * length;
  }
}
