import type { ContradictionInput, Told } from './contradiction.ts';

const NOWHERE = { latitude: 0, longitude: 0, atSeconds: 0 };

/**
 * What was compared last besides evidence and the request. All that contradictions read of memory and the time
 * has to be in it. It is changed in place: garbage that lives as long as evidence is dear.
 */
export class LatestMoment {
  /** Unix seconds: nothing is compared more exactly. */
  #seconds = 0;
  #firstUsedSeconds: Told<number>;
  #devices: Told<number>;
  #accounts: Told<number>;
  /** How many places there are; null and undefined as they are told. */
  #places: Told<number>;
  #missedUntil: number | undefined;
  /** Of the latest place. */
  #latitude = 0;
  #longitude = 0;
  #atSeconds = 0;

  /**
   * Takes the moment of an input. True only where the same is found as in the one before; false for some more,
   * where an account has several places.
   */
  isTheSameIn({ memory, nowMs }: Pick<ContradictionInput, 'memory' | 'nowMs'>): boolean {
    const { places, hardware, telemetryFirstUsedMs: firstUsedMs, placesMissedUntil } = memory;
    const { latitude, longitude, atSeconds } = places?.[0] ?? NOWHERE;
    const count = places ? places.length : places;
    const seconds = Math.floor(nowMs / 1000);
    const firstUsed = typeof firstUsedMs === 'number' ? Math.floor(firstUsedMs / 1000) : firstUsedMs;
    const isSame =
      this.#seconds === seconds &&
      this.#firstUsedSeconds === firstUsed &&
      this.#devices === hardware.devices &&
      this.#accounts === hardware.accounts &&
      this.#places === count &&
      (count ?? 0) <= 1 &&
      this.#missedUntil === placesMissedUntil &&
      this.#latitude === latitude &&
      this.#longitude === longitude &&
      this.#atSeconds === atSeconds;
    if (isSame) return true;
    this.#seconds = seconds;
    this.#firstUsedSeconds = firstUsed;
    this.#devices = hardware.devices;
    this.#accounts = hardware.accounts;
    this.#places = count;
    this.#missedUntil = placesMissedUntil;
    this.#latitude = latitude;
    this.#longitude = longitude;
    this.#atSeconds = atSeconds;
    return false;
  }
}
