/** A share that was seen in a sample, and between what the true one most likely is. */
export interface EstimatedShare {
  /** Null where nothing was seen. */
  readonly share: number | null;
  /** How many were looked at. */
  readonly n: number;
  /** The interval that holds the true share in 95 of 100 samples, by Wilson; 0 to 1 where nothing was seen. */
  readonly low: number;
  readonly high: number;
}

/** The quantile of the normal distribution for 95 %, both sides together. */
const Z = 1.959964;

/** The share of `hits` among `n`, with its interval (Wilson 1927): right for small samples and at both ends. */
export function estimateShare(hits: number, n: number): EstimatedShare {
  if (n === 0) return { share: null, n, low: 0, high: 1 };
  const share = hits / n;
  const scale = 1 + Z ** 2 / n;
  const middle = (share + Z ** 2 / (2 * n)) / scale;
  const half = (Z / scale) * Math.sqrt((share * (1 - share)) / n + Z ** 2 / (4 * n ** 2));
  // Rounding must not leave the ends, nor the share outside.
  const low = hits === 0 ? 0 : Math.min(share, middle - half);
  const high = hits === n ? 1 : Math.max(share, middle + half);
  return { share, n, low, high };
}
