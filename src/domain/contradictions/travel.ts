import { type Coordinates, greatCircleKm, isOnEarth } from '../great-circle.ts';
import {
  type AcceptedPlace,
  type Contradiction,
  type Finding,
  findBoundTo,
  type MemorySide,
  type Side,
  type Told,
} from './contradiction.ts';
import type { AddressPlace } from './reference-data.ts';
import { found, heavierOf, numberOf } from './told.ts';

/** The fact that tells the places in which an account was accepted. */
export const ACCEPTED_PLACES = 'places.account';

/** As fast as an airliner: its cruise is 900 km/h. */
const TRAVEL_KMH_DEFAULT = 1000;
/** Places of addresses are often those of the next large town, or of the seat of a provider. */
const NEAR_KM = 200;
/** Where nothing says how exact a place is: half of what counts as near. */
const PLACE_ERROR_KM = 100;
/** Half the diagonal of a tenth of a degree at the equator. */
const ROUNDING_KM = 8;
/** Evidence is some minutes old when a place is kept, and clocks differ. */
const SLACK_HOURS = 0.25;
/** How exactly accounts remember a place. */
const REMEMBERED = { errorKm: PLACE_ERROR_KM + ROUNDING_KM };
/** Half way round the Earth. */
const FARTHEST_KM = greatCircleKm({ latitude: 90, longitude: 0 }, { latitude: -90, longitude: 0 });

/** Somebody was somewhere. */
interface Sighting extends Coordinates {
  readonly atSeconds: number;
  readonly errorKm: number;
}

/** From one to the other. */
interface Way {
  readonly origin: string;
  readonly from: Sighting;
  readonly to: Sighting;
  readonly km: number;
}

/** How fast somebody was. */
interface Journey {
  /** True where it is too fast. */
  readonly result: boolean;
  readonly way: Way;
  readonly kmPerHour: number;
}

/** Faster than an airliner between two places. */
export const TRAVEL: Contradiction = {
  id: 'travel',
  family: 'place',
  meaning:
    'From where the account was last accepted, or from where Prefactor saw the device, to where the request or Prefactor places it now is faster than `params.travel_kmh` (1000 km/h where the policy has none). Less than 200 km, and a place where the account was accepted within 30 days, are no journey.',
  reads: ['prefactor', 'request', 'memory', 'time'],
  needs: [ACCEPTED_PLACES],
  params: { travel_kmh: TRAVEL_KMH_DEFAULT },
  ...findBoundTo(({ prefactor }) => {
    const first = toSeen(prefactor, 'first_seen');
    const last = toSeen(prefactor, 'last_seen');
    const seen = toWay('device_first_seen', first, last);
    return ({ request, memory, nowMs, params }) => {
      const limit = params['travel_kmh'] ?? TRAVEL_KMH_DEFAULT;
      const now = toPresent(request.place, Math.floor(nowMs / 1000));
      let journey = heavierOf(fromMemory(memory, now, limit), fromMemory(memory, last, limit));
      journey = heavierOf(journey, toJourney(toWay('device_last_seen', last, now), limit));
      journey = heavierOf(journey, toJourney(seen, limit));
      return typeof journey === 'string' ? journey : explain(journey, limit);
    };
  }),
};

function toSeen(prefactor: Side, seen: 'first_seen' | 'last_seen'): Told<Sighting> {
  const latitude = numberOf(prefactor, seen, 'latitude');
  const longitude = numberOf(prefactor, seen, 'longitude');
  const atSeconds = numberOf(prefactor, seen, 'at_unix_seconds');
  for (const each of [latitude, longitude, atSeconds]) if (each === undefined) return undefined;
  if (typeof latitude !== 'number' || typeof longitude !== 'number' || typeof atSeconds !== 'number')
    return null;
  const place = { latitude, longitude, atSeconds, errorKm: PLACE_ERROR_KM };
  return isOnEarth(place) ? place : null;
}

function toPresent(place: Told<AddressPlace>, atSeconds: number): Told<Sighting> {
  if (place === undefined || place === null) return place;
  const { latitude, longitude, radiusKm = PLACE_ERROR_KM } = place;
  if (latitude === undefined || longitude === undefined) return undefined;
  return { latitude, longitude, atSeconds, errorKm: radiusKm };
}

/**
 * Unknown where a place may be missing from which this would be a journey. What was missed long enough ago is
 * none: nobody is farther away than the other side of the Earth.
 */
function fromMemory(
  { places, placesMissedUntil: missed }: MemorySide,
  to: Told<Sighting>,
  limit: number,
): Journey | 'unknown' | 'none' {
  if (missed !== undefined && to && speedOf(FARTHEST_KM, errorBetween(REMEMBERED, to), missed, to) > limit)
    return 'unknown';
  if (places === undefined || to === undefined) return 'none';
  if (places === null || to === null) return 'unknown';
  return toJourney(fromAccepted(places, to), limit);
}

/** Who comes back to a place that is known has not travelled there now: offices, homes and exits of VPNs. */
function fromAccepted(places: readonly [AcceptedPlace, ...AcceptedPlace[]], to: Sighting): Way {
  const [latest] = places;
  let [place, km] = [latest, greatCircleKm(latest, to)];
  for (let at = 1; at < places.length && km > NEAR_KM; at += 1) {
    const other = places[at] ?? latest;
    const otherKm = greatCircleKm(other, to);
    if (otherKm <= NEAR_KM) [place, km] = [other, otherKm];
  }
  const { latitude, longitude, atSeconds } = place;
  const from = { latitude, longitude, atSeconds, errorKm: REMEMBERED.errorKm };
  return { origin: 'account_accepted', from, to, km };
}

function toWay(origin: string, from: Told<Sighting>, to: Told<Sighting>): Way | 'unknown' | 'none' {
  if (from === undefined || to === undefined) return 'none';
  if (from === null || to === null) return 'unknown';
  return { origin, from, to, km: greatCircleKm(from, to) };
}

/** The slowest journey that the errors of both places allow. */
function toJourney(way: Way | 'unknown' | 'none', limit: number): Journey | 'unknown' | 'none' {
  if (typeof way === 'string') return way;
  const { from, to, km } = way;
  const kmPerHour = speedOf(km, errorBetween(from, to), from.atSeconds, to);
  return { result: km > NEAR_KM && kmPerHour > limit, way, kmPerHour };
}

/** With its working, which is written for the one journey that counts. */
function explain({ result, way: { origin, from, to, km }, kmPerHour }: Journey, limit: number): Finding {
  const hours = hoursBetween(from.atSeconds, to);
  return found(result, {
    from: origin,
    from_latitude: roundDegrees(from.latitude),
    from_longitude: roundDegrees(from.longitude),
    to_latitude: roundDegrees(to.latitude),
    to_longitude: roundDegrees(to.longitude),
    km: Math.round(km),
    error_km: Math.round(errorBetween(from, to)),
    hours: Math.round(hours * 100) / 100,
    slack_hours: SLACK_HOURS,
    km_per_hour: Math.round(kmPerHour),
    limit_km_per_hour: limit,
  });
}

function errorBetween(from: Pick<Sighting, 'errorKm'>, to: Sighting): number {
  return from.errorKm + to.errorKm;
}

function hoursBetween(fromSeconds: number, to: Sighting): number {
  return Math.abs(to.atSeconds - fromSeconds) / 3600;
}

/** Kilometres an hour. */
function speedOf(km: number, errorKm: number, fromSeconds: number, to: Sighting): number {
  return Math.max(0, km - errorKm) / (hoursBetween(fromSeconds, to) + SLACK_HOURS);
}

/** Adding zero turns −0 into 0, which JSON and a deep comparison would otherwise tell apart. */
function roundDegrees(degrees: number): number {
  return Math.round(degrees * 10) / 10 + 0;
}
