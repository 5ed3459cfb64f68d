import { SEEN_KINDS, type SeenKind, WINDOW_SECONDS_MAX } from './activity-parts.ts';
import { type ActivityState, acceptedOf, findValue, firstSeenOf, hasGap, REVOKED } from './activity-state.ts';

/** What is known of one part of the subject of a decision, under one hash key. */
export interface ActivityView {
  readonly state: ActivityState;
  /** What happened before is not all known; 0 where nothing is missing. */
  readonly sinceSeconds: number;
  readonly nowSeconds: number;
  /** Which hash key it is under, counted from the one in force. Hardware has several views under each. */
  readonly keyPlace: number;
  /**
   * The value of this request, by the place of its kind: null where it has none, undefined where that is not
   * known.
   */
  readonly own: readonly (number | null | undefined)[];
}

/** Reads one number under one hash key; undefined where it is unknown. */
export type ReadView = (view: ActivityView) => number | undefined;

/** Reads what is kept under several hash keys as one; undefined where it is unknown. */
export type ReadViews<Value> = (views: readonly ActivityView[]) => Value | undefined;

/** Each key has all of it since it is in use, and values under names of its own: the one that has most is whole. */
export function mostOf(read: ReadView): ReadViews<number> {
  return (views) => {
    let most = 0;
    for (const view of views) {
      const value = read(view);
      if (value === undefined) return undefined;
      most = Math.max(most, value);
    }
    return most;
  };
}

/**
 * What is kept under one key each, as labels are under that of their record. Several views under one key are of
 * several identifiers of one thing, each of which has all of it.
 */
export function sumOf(read: ReadView): ReadViews<number> {
  return (views) => {
    const most: number[] = [];
    for (const view of views) {
      const value = read(view);
      if (value === undefined) return undefined;
      most[view.keyPlace] = Math.max(value, most[view.keyPlace] ?? 0);
    }
    return most.reduce((sum, value) => sum + value, 0);
  };
}

/** Whether the value of this request was accepted within 30 days, and not taken back since. */
export function isKnown(views: readonly ActivityView[], kind: SeenKind): boolean | undefined {
  let [isAccepted, isUncertain] = [false, false];
  for (const view of views) {
    if (lacksDevice(view, kind)) return false;
    const found = findOwn(view, kind);
    // A label reaches what is kept under the hash key of its record alone.
    if (found?.accepted === REVOKED) return false;
    if (isWithin(found?.accepted ?? 0, view.nowSeconds, WINDOW_SECONDS_MAX)) isAccepted = true;
    else if (found === undefined || found.hasGap || isMissed(view)) isUncertain = true;
  }
  return isUncertain ? undefined : isAccepted;
}

/** True where something is missing that the longest window would hold. */
export function isMissed({ sinceSeconds, nowSeconds }: ActivityView): boolean {
  return isWithin(sinceSeconds, nowSeconds, WINDOW_SECONDS_MAX);
}

/**
 * True where this was there when something was missed, and so has all of its life. The time of a loss is
 * rounded up and that of a sighting down: both may be of one moment.
 */
export function outlived(firstSeconds: number, { sinceSeconds }: ActivityView): boolean {
  return firstSeconds < sinceSeconds - 1;
}

/**
 * True where the request names no device: as with providers, that is a device that nobody knows, and no loss.
 * An address that is missing may be one that could not be read.
 */
export function lacksDevice({ own }: ActivityView, kind: SeenKind): boolean {
  return kind === 'devices' && own[SEEN_KINDS.indexOf(kind)] === null;
}

/** A time that is not 0, and not as long ago. */
export function isWithin(timeSeconds: number, nowSeconds: number, seconds: number): boolean {
  return timeSeconds > nowSeconds - seconds && timeSeconds > 0;
}

/**
 * The value of this request among those that are kept, and whether some had to make room; undefined where the
 * request has none, or it is not known.
 */
export function findOwn({ state, own, nowSeconds }: ActivityView, kind: SeenKind) {
  const place = SEEN_KINDS.indexOf(kind);
  const name = own[place];
  if (name === undefined || name === null) return undefined;
  const at = findValue(state, place, name);
  return {
    first: at === -1 ? undefined : firstSeenOf(state, at),
    accepted: at === -1 ? undefined : acceptedOf(state, at),
    hasGap: hasGap(state, place, nowSeconds),
  };
}
