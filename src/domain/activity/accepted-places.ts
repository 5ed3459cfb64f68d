import type { AcceptedPlace } from '../contradictions/contradiction.ts';
import { SEEN_KINDS, WINDOW_SECONDS_MAX } from './activity-parts.ts';
import { gapOf, REVOKED, VALUE, valuesOf } from './activity-state.ts';
import { type ActivityView, isMissed, isWithin } from './activity-view.ts';
import { placeOfName } from './seen-name.ts';

const PLACES = SEEN_KINDS.indexOf('places');
/** Where the time of acceptance stands in a value. */
const ACCEPTED = 3;

/** Where an account was accepted. */
interface AcceptedPlaces {
  /** The latest first. */
  readonly places: readonly AcceptedPlace[];
  /** One may be missing that was accepted until then, and later than all of these, Unix seconds; 0 for none. */
  readonly missedUntilSeconds: number;
}

/**
 * Where an account was accepted within 30 days. What was taken back under one hash key was not accepted under
 * another.
 */
export function acceptedPlaces(views: readonly ActivityView[]): AcceptedPlaces {
  const [only, another] = views;
  const places = only !== undefined && another === undefined ? placesOf(only) : mergePlaces(views);
  if (places.length > 1) places.sort((left, right) => right.atSeconds - left.atSeconds);
  const latest = places[0]?.atSeconds ?? 0;
  let missed = 0;
  for (const view of views) missed = Math.max(missed, missedUntil(view));
  return { places, missedUntilSeconds: missed > latest ? missed : 0 };
}

/** A state has each place once. */
function placesOf({ state, nowSeconds }: ActivityView): AcceptedPlace[] {
  const places: AcceptedPlace[] = [];
  const values = valuesOf(state, PLACES);
  for (let at = 0; at < values.length; at += VALUE) {
    const time = values[at + ACCEPTED] ?? 0;
    if (isAccepted(time, nowSeconds)) addPlace(places, values[at] ?? 0, time);
  }
  return places;
}

function mergePlaces(views: readonly ActivityView[]): AcceptedPlace[] {
  const accepted = new Map<number, number>();
  const revoked = new Set<number>();
  for (const { state, nowSeconds } of views) {
    const values = valuesOf(state, PLACES);
    for (let at = 0; at < values.length; at += VALUE) {
      const [name = 0, time = 0] = [values[at], values[at + ACCEPTED]];
      if (time === REVOKED) revoked.add(name);
      else if (isAccepted(time, nowSeconds)) accepted.set(name, Math.max(time, accepted.get(name) ?? 0));
    }
  }
  const places: AcceptedPlace[] = [];
  for (const [name, time] of accepted) if (!revoked.has(name)) addPlace(places, name, time);
  return places;
}

function isAccepted(time: number, nowSeconds: number): boolean {
  return time !== REVOKED && isWithin(time, nowSeconds, WINDOW_SECONDS_MAX);
}

function addPlace(places: AcceptedPlace[], name: number, atSeconds: number): void {
  const place = placeOfName(name);
  if (place !== null) places.push({ latitude: place.latitude, longitude: place.longitude, atSeconds });
}

/** Until when places were accepted that may be missing. */
function missedUntil(view: ActivityView): number {
  const gap = gapOf(view.state, PLACES, view.nowSeconds);
  return Math.max(gap, isMissed(view) ? view.sinceSeconds : 0);
}
