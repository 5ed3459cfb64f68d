import type { Signals } from '../evidence.ts';
import { type Coordinates, greatCircleKm, isOnEarth } from '../great-circle.ts';
import type {
  AcceptedPlace,
  Contradiction,
  ContradictionInput,
  Finding,
  Side,
  Told,
} from './contradiction.ts';
import type { AddressPlace } from './reference-data.ts';
import { anyOf, compare, found, numberOf } from './told.ts';

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
interface Journey {
  /** True where it is too fast. */
  readonly result: boolean;
  readonly origin: string;
  readonly from: Sighting;
  readonly to: Sighting;
  readonly km: number;
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
  find: (input: ContradictionInput): Finding => {
    const { evidence, request, nowMs } = input;
    const { first, last } = sightingsOf(evidence.prefactor);
    const now = toPresent(request.place, Math.floor(nowMs / 1000));
    const journey = anyOf<Journey>([
      fromMemory(now, input),
      fromMemory(last, input),
      compare(last, now, (from, to) => toJourney('device_last_seen', from, to, input)),
      compare(first, last, (from, to) => toJourney('device_first_seen', from, to, input)),
    ]);
    return typeof journey === 'string' ? journey : explain(journey, input);
  },
};

/** Where a device was first and last seen. */
interface Sightings {
  readonly first: Told<Sighting>;
  readonly last: Told<Sighting>;
}

/** Evidence is read again for every decision, and does not change. */
const known = new WeakMap<Signals, Sightings>();

function sightingsOf(prefactor: Side): Sightings {
  let sightings = typeof prefactor === 'string' ? undefined : known.get(prefactor);
  if (sightings === undefined) {
    sightings = { first: toSeen(prefactor, 'first_seen'), last: toSeen(prefactor, 'last_seen') };
    if (typeof prefactor !== 'string') known.set(prefactor, sightings);
  }
  return sightings;
}

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
function fromMemory(to: Told<Sighting>, input: ContradictionInput): Journey | 'unknown' | 'none' {
  const { places, placesMissedUntil: missed } = input.memory;
  if (
    missed !== undefined &&
    to &&
    speedOf(FARTHEST_KM, errorBetween(REMEMBERED, to), missed, to) > limitOf(input)
  )
    return 'unknown';
  return compare(places, to, (known, sighting) => fromAccepted(known, sighting, input));
}

/** Who comes back to a place that is known has not travelled there now: offices, homes and exits of VPNs. */
function fromAccepted(
  places: readonly [AcceptedPlace, ...AcceptedPlace[]],
  to: Sighting,
  input: ContradictionInput,
): Journey {
  const [latest] = places;
  const from = places.find((place) => greatCircleKm(place, to) <= NEAR_KM) ?? latest;
  return toJourney('account_accepted', toSighting(from), to, input);
}

function toSighting(place: AcceptedPlace): Sighting {
  return { ...place, ...REMEMBERED };
}

/** The slowest journey that the errors of both places allow. */
function toJourney(origin: string, from: Sighting, to: Sighting, input: ContradictionInput): Journey {
  const km = greatCircleKm(from, to);
  const kmPerHour = speedOf(km, errorBetween(from, to), from.atSeconds, to);
  return { result: km > NEAR_KM && kmPerHour > limitOf(input), origin, from, to, km, kmPerHour };
}

/** With its working, which is written for the one journey that counts. */
function explain({ result, origin, from, to, km, kmPerHour }: Journey, input: ContradictionInput): Finding {
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
    limit_km_per_hour: limitOf(input),
  });
}

function limitOf({ params }: ContradictionInput): number {
  return params['travel_kmh'] ?? TRAVEL_KMH_DEFAULT;
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
