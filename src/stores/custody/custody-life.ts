/**
 * A binding that nobody has asked to keep lives for so long after its latest use: long enough for evidence to
 * arrive and for a fingerprint that its provider is about to know, short enough for forged ids not to fill a
 * store.
 */
export const BRIEF_LIFE_MS = 600_000;
/** A provider's expiry is believed up to a year ahead. */
const LIFE_MS_MAX = 365 * 86_400_000;

/** Milliseconds for which a binding lives after a use that nobody has asked to keep. */
export function briefLifeMs(retentionMs: number): number {
  return Math.min(BRIEF_LIFE_MS, retentionMs);
}

/**
 * Whole milliseconds for which a binding is kept from now on: for its retention, and until the id's own
 * expiry (Unix milliseconds, null where none is known) if that is later.
 */
export function custodyLifeMs(retentionMs: number, validUntilMs: number | null, nowMs: number): number {
  if (validUntilMs === null) return retentionMs;
  return Math.max(retentionMs, Math.min(Math.ceil(validUntilMs - nowMs), LIFE_MS_MAX));
}
