/** Latitude and longitude in degrees, WGS 84. */
interface Coordinates {
  readonly latitude: number;
  readonly longitude: number;
}

/** Mean radius of the Earth (IUGG). */
const EARTH_RADIUS_KM = 6371.0088;

/**
 * A `[latitude, longitude]` pair rounded to 2 decimals (about 1 km), or undefined when it is not a place on
 * Earth.
 */
export function toCoordinates(pair: readonly [number, number] | null | undefined): Coordinates | undefined {
  if (pair === null || pair === undefined) return undefined;
  const [latitude, longitude] = pair;
  if (Math.abs(latitude) > 90 || Math.abs(longitude) > 180) return undefined;
  return { latitude: roundDegrees(latitude), longitude: roundDegrees(longitude) };
}

/** The great-circle distance in whole kilometres (haversine), or undefined when a place is unknown. */
export function distanceKm(from: Coordinates | undefined, to: Coordinates | undefined): number | undefined {
  if (from === undefined || to === undefined) return undefined;
  const latitudeDelta = toRadians(to.latitude - from.latitude);
  const longitudeDelta = toRadians(to.longitude - from.longitude);
  const haversine =
    Math.sin(latitudeDelta / 2) ** 2 +
    Math.cos(toRadians(from.latitude)) * Math.cos(toRadians(to.latitude)) * Math.sin(longitudeDelta / 2) ** 2;
  return Math.round(2 * EARTH_RADIUS_KM * Math.asin(Math.sqrt(Math.min(1, haversine))));
}

function toRadians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}

/** Adding zero turns −0 into 0, which JSON and a deep comparison would otherwise tell apart. */
function roundDegrees(degrees: number): number {
  return Math.round(degrees * 100) / 100 + 0;
}
