import { bucketOf, quantilesOfBuckets } from './record-counts.ts';

/**
 * Delays are counted by the buckets of latencies, in this unit: the first one ends after a minute, the last one
 * after three years.
 */
export const DELAY_UNIT_MS = 6_000_000;

/** The bucket of the time from a decision to its label, both Unix milliseconds. One of before it is in the first. */
export function delayBucketOf(decidedAtMs: number, labelledAtMs: number): number {
  return bucketOf((labelledAtMs - decidedAtMs) / DELAY_UNIT_MS);
}

/** The median in milliseconds, to within 5 % and no less than a minute; null where nothing was counted. */
export function medianDelayMs(buckets: ReadonlyMap<number, number>): number | null {
  const [median = null] = quantilesOfBuckets(buckets, [0.5]);
  return median === null ? null : median * DELAY_UNIT_MS;
}
