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
