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

/** Where a provider saw a device, and when, Unix seconds. */
export interface DeviceSighting {
  readonly coordinates: Coordinates;
  readonly atSeconds: number;
}

/** Where a provider says that it last saw the device; null where it does not. */
export function sightingOf(provider: string, signals: Signals): DeviceSighting | null {
  if (provider !== 'prefactor') return null;
  const latitude = numberOf(signals, 'last_seen', 'latitude') ?? Number.NaN;
  const longitude = numberOf(signals, 'last_seen', 'longitude') ?? Number.NaN;
  const atSeconds = numberOf(signals, 'last_seen', 'at_unix_seconds') ?? Number.NaN;
  const coordinates = { latitude, longitude };
  return Number.isFinite(atSeconds) && isOnEarth(coordinates) ? { coordinates, atSeconds } : null;
}

/** True where the device was seen within ten minutes of `nowMs`, and so may be taken to be there. */
export function isNear({ atSeconds }: DeviceSighting, nowMs: number): boolean {
  return Math.abs(nowMs / 1000 - atSeconds) <= SEEN_SECONDS_MAX;
}
