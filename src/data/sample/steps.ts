// Long work in small steps: a generator yields its progress (0 to 1), so that its caller can do other work in between, or stop.
// `finish` runs one in one go.

export type Steps<T> = Generator<number, T>;

/** Rows between two steps. */
export const ROWS_A_STEP = 32;

export function finish<T>(steps: Generator<unknown, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** The same steps, with their share of a larger work: from `start`, over `length` of it. */
export function* within<T>(steps: Steps<T>, start: number, length: number): Steps<T> {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    yield start + value * length;
  }
}
