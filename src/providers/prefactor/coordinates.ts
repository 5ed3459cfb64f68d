import { type Coordinates, greatCircleKm, isOnEarth } from '../../domain/great-circle.ts';

/**
 * A `[latitude, longitude]` pair rounded to 2 decimals (about 1 km), or undefined when it is not a place on
 * Earth.
 */
export function toCoordinates(pair: readonly [number, number] | null | undefined): Coordinates | undefined {
  if (pair === null || pair === undefined) return undefined;
  const [latitude, longitude] = pair;
  if (!isOnEarth({ latitude, longitude })) return undefined;
  return { latitude: roundDegrees(latitude), longitude: roundDegrees(longitude) };
}

/** The great-circle distance in whole kilometres, or undefined when a place is unknown. */
export function distanceKm(from: Coordinates | undefined, to: Coordinates | undefined): number | undefined {
  if (from === undefined || to === undefined) return undefined;
  return Math.round(greatCircleKm(from, to));
}

/** Adding zero turns −0 into 0, which JSON and a deep comparison would otherwise tell apart. */
function roundDegrees(degrees: number): number {
  return Math.round(degrees * 100) / 100 + 0;
}
