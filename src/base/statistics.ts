// Means of few measurements, and whether two of them differ. Pure.

export const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Sample standard deviation; NaN of fewer than two. */
export const spread = (values: readonly number[]): number => {
  const middle = mean(values);
  return values.length < 2 ? NaN : Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1));
};

/** Standard error of the difference of the two means; NaN if one has fewer than two values. */
export const errorOfDifference = (a: readonly number[], b: readonly number[]): number =>
  Math.sqrt(spread(a) ** 2 / a.length + spread(b) ** 2 / b.length);

/** The straight line through points [x, y] by least squares: its slope, and the slope's standard error (NaN of fewer than three points). */
export function slopeOf(points: readonly (readonly [number, number])[]): { readonly slope: number; readonly error: number } {
  const [x, y] = [mean(points.map((point) => point[0])), mean(points.map((point) => point[1]))];
  const sum = (of: (dx: number, dy: number) => number): number => points.reduce((all, point) => all + of(point[0] - x, point[1] - y), 0);
  const across = sum((dx) => dx * dx);
  const slope = sum((dx, dy) => dx * dy) / across;
  const rest = sum((dx, dy) => (dy - slope * dx) ** 2);
  return { slope, error: points.length < 3 ? NaN : Math.sqrt(rest / (points.length - 2) / across) };
}
