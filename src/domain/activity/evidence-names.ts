import { numberOf, textOf } from '../contradictions/told.ts';
import type { Signals } from '../evidence.ts';
import { type Coordinates, isOnEarth } from '../great-circle.ts';

/** Identifiers that a phone keeps when its apps are installed again, or its operator gives it another id. */
const HARDWARE_IDENTIFIERS = ['imei_hash', 'media_drm_id_hash', 'gaid_hash'] as const;
/** A device that was seen longer ago may be elsewhere now. */
const SEEN_SECONDS_MAX = 600;

/** The keyed hashes of the identifiers of hardware that a provider reports. */
export function hardwareOf(provider: string, signals: Signals): readonly string[] {
  if (provider !== 'mobilerun') return [];
  return HARDWARE_IDENTIFIERS.flatMap((name) => textOf(signals, 'identifiers', name) ?? []);
}

/** Where a provider has seen the device within ten minutes of `nowMs`; null where it has not. */
export function placeOfDevice(provider: string, signals: Signals, nowMs: number): Coordinates | null {
  if (provider !== 'prefactor') return null;
  const latitude = numberOf(signals, 'last_seen', 'latitude') ?? Number.NaN;
  const longitude = numberOf(signals, 'last_seen', 'longitude') ?? Number.NaN;
  const at = numberOf(signals, 'last_seen', 'at_unix_seconds') ?? Number.NaN;
  const isNow = Math.abs(nowMs / 1000 - at) <= SEEN_SECONDS_MAX;
  return isNow && isOnEarth({ latitude, longitude }) ? { latitude, longitude } : null;
}
