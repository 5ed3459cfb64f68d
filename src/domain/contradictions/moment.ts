import type { ContradictionInput, Told } from './contradiction.ts';

/** What contradictions compare besides evidence and the request, where that is quickly compared. */
export interface Moment {
  /** Unix seconds: nothing is compared more exactly. */
  readonly seconds: number;
  readonly firstUsedSeconds: Told<number>;
  readonly devices: Told<number>;
  readonly accounts: Told<number>;
  /** How many places there are; null and undefined as they are told. */
  readonly places: Told<number>;
  readonly missedUntil: number | undefined;
  /** The latest place. */
  readonly latitude: number;
  readonly longitude: number;
  readonly atSeconds: number;
}

const NOWHERE = { latitude: 0, longitude: 0, atSeconds: 0 };

/** The moment of an input. All that contradictions read of memory has to be in it. */
export function toMoment({ memory, nowMs }: Pick<ContradictionInput, 'memory' | 'nowMs'>): Moment {
  const { places, hardware, telemetryFirstUsedMs: firstUsedMs } = memory;
  const { latitude, longitude, atSeconds } = places?.[0] ?? NOWHERE;
  return {
    seconds: Math.floor(nowMs / 1000),
    firstUsedSeconds: typeof firstUsedMs === 'number' ? Math.floor(firstUsedMs / 1000) : firstUsedMs,
    devices: hardware.devices,
    accounts: hardware.accounts,
    places: places ? places.length : places,
    missedUntil: memory.placesMissedUntil,
    latitude,
    longitude,
    atSeconds,
  };
}

/** True only for moments in which the same is found; false for some more, where an account has several places. */
export function isSameMoment(left: Moment, right: Moment): boolean {
  return (
    left.seconds === right.seconds &&
    left.firstUsedSeconds === right.firstUsedSeconds &&
    left.devices === right.devices &&
    left.accounts === right.accounts &&
    left.places === right.places &&
    (left.places ?? 0) <= 1 &&
    left.missedUntil === right.missedUntil &&
    left.latitude === right.latitude &&
    left.longitude === right.longitude &&
    left.atSeconds === right.atSeconds
  );
}
