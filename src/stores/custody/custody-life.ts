/** A binding of an id that no provider has ever known is kept for so long after its latest use: long enough for a fingerprint that its provider is about to know, short enough for forged ids not to fill a store. */
const UNKNOWN_ID_LIFE_MS = 600_000;
/** A provider's expiry is believed up to a year ahead. */
const LIFE_MS_MAX = 365 * 86_400_000;

/** Whole milliseconds for which a binding is kept from now on by what a provider said of the id's own expiry; null where none knows the id. Never negative. */
export function custodyLifeMs(validUntilMs: number | null, nowMs: number): number {
  if (validUntilMs === null) return UNKNOWN_ID_LIFE_MS;
  return Math.min(Math.max(0, Math.ceil(validUntilMs - nowMs)), LIFE_MS_MAX);
}
