import { DISTINCT_MAX, SEEN_KINDS, WINDOW_SECONDS_MAX } from './activity-parts.ts';

/**
 * What is kept of one part of one subject: keyed hashes and counts. Times are whole Unix seconds. Its owner
 * changes it in place; the script for Redis does the same to the same in bytes, and one contract suite covers
 * both.
 */
export interface ActivityState {
  readonly firstSeconds: number;
  /** What happened before is not all in it; 0 where nothing is missing. */
  readonly sinceSeconds: number;
  /**
   * The values of each kind, by its place in SEEN_KINDS: four numbers for each value, its name, when it was
   * first seen, when last, and when it was last accepted, 0 for never, or REVOKED. The name 0 stands for those that had to
   * make room: one of them was last seen then, and none later.
   */
  readonly seen: number[][];
  /** Three numbers for each record: time, measure, count. The latest stands last. */
  counts: number[];
  /** The length of `counts` at which it is made shorter. */
  compactAt: number;
}

/** What happens to the values of a change: they are known from now on, no longer, or as they were (null). */
export type Acceptance = 'accepted' | 'revoked' | null;

/** One value of this request. */
export interface Sighting {
  /** The place of its kind in SEEN_KINDS. */
  readonly kind: number;
  /** 48 bits, and not 0: see seen-name.ts. */
  readonly name: number;
}

/** The numbers of one value. */
const VALUE = 4;
const [FIRST, LAST, ACCEPTED] = [1, 2, 3];
const NO_NAME = 0;
const PLACES = SEEN_KINDS.indexOf('places');
/** In place of a time: it was taken back, and not accepted since. */
export const REVOKED = 1;
const RECORD = 3;
/** The fewest numbers of records before it is worth to look for those that can be put together. */
const COMPACT_AT_MIN = 48 * RECORD;
/** How many records of one moment are looked through for that of the same measure. */
const LOOK_BACK = 16;

/**
 * How exactly times are kept, by age: records within one step are put together under the time of the latest.
 * Each step is at most a tenth of the shortest window that reaches there, and a whole number of those before.
 */
export const COUNT_STEPS = [
  { age: 60, step: 5 },
  { age: 600, step: 60 },
  { age: 3_600, step: 300 },
  { age: 86_400, step: 7_200 },
  { age: 604_800, step: 43_200 },
  { age: WINDOW_SECONDS_MAX, step: 172_800 },
] as const;

/** A state of which nothing is known but that it begins now. */
export function createActivityState(nowSeconds: number, sinceSeconds: number): ActivityState {
  return {
    firstSeconds: nowSeconds,
    sinceSeconds,
    seen: SEEN_KINDS.map(() => []),
    counts: [],
    compactAt: COMPACT_AT_MIN,
  };
}

/**
 * Notes a value. Beyond DISTINCT_MAX the one that was seen longest ago makes room. A place that is not kept is
 * not taken back: only those are kept that were accepted, and must not make room for those that never were.
 */
export function see(
  { seen }: ActivityState,
  { kind, name }: Sighting,
  nowSeconds: number,
  acceptance: Acceptance,
): void {
  const values = seen[kind] ?? [];
  let at = findValue(values, name);
  if (at === -1 && acceptance === 'revoked' && kind === PLACES) return;
  const before = at === -1 ? 0 : (values[at + ACCEPTED] ?? 0);
  const accepted =
    acceptance === 'accepted' ? Math.max(nowSeconds, before) : acceptance === 'revoked' ? REVOKED : 0;
  if (at === -1) {
    at = makeRoom(values, nowSeconds);
    if (at === values.length) {
      // An array that is spread takes no more memory than it needs.
      seen[kind] = [...values, name, nowSeconds, nowSeconds, accepted];
      return;
    }
    values[at] = name;
    values[at + FIRST] = nowSeconds;
    values[at + ACCEPTED] = 0;
  }
  values[at + LAST] = Math.max(nowSeconds, values[at + LAST] ?? 0);
  if (acceptance !== null) values[at + ACCEPTED] = accepted;
}

/** Where a value stands; -1 where it does not. */
export function findValue(values: readonly number[], name: number): number {
  for (let at = values.length - VALUE; at >= 0; at -= VALUE) if (values[at] === name) return at;
  return -1;
}

/** True where values had to make room that some window would hold. */
export function hasGap(values: readonly number[], nowSeconds: number): boolean {
  return gapOf(values, nowSeconds) > 0;
}

/** When a value was last seen that had to make room and that some window would hold; 0 where there is none. */
export function gapOf(values: readonly number[], nowSeconds: number): number {
  const at = findValue(values, NO_NAME);
  const last = at === -1 ? 0 : (values[at + LAST] ?? 0);
  return last > nowSeconds - WINDOW_SECONDS_MAX ? last : 0;
}

/** Where a new value is to stand: at the end, or in the place of the one that was seen longest ago. */
function makeRoom(values: number[], nowSeconds: number): number {
  if (values.length < DISTINCT_MAX * VALUE) return values.length;
  let oldest = -1;
  let gap = -1;
  for (let at = 0; at < values.length; at += VALUE) {
    if (values[at] === NO_NAME) gap = at;
    else if (oldest === -1 || (values[at + LAST] ?? 0) < (values[oldest + LAST] ?? 0)) oldest = at;
  }
  const last = values[oldest + LAST] ?? 0;
  const isMissed = last > nowSeconds - WINDOW_SECONDS_MAX;
  // The record of the gap is one more than the values, and takes the place of none.
  if (gap !== -1) values[gap + LAST] = Math.max(last, values[gap + LAST] ?? 0);
  else if (isMissed) values.push(NO_NAME, 0, last, 0);
  return oldest;
}

/** Counts one more of a measure. */
export function count(state: ActivityState, measure: number, nowSeconds: number): void {
  const { counts } = state;
  const at = findMoment(counts, measure, nowSeconds);
  if (at !== -1) {
    counts[at] = Math.max(counts[at] ?? 0, nowSeconds);
    counts[at + 2] = (counts[at + 2] ?? 0) + 1;
    return;
  }
  state.counts = [...counts, nowSeconds, measure, 1];
  if (state.counts.length < state.compactAt) return;
  state.counts = compact(state.counts, nowSeconds);
  state.compactAt = Math.max(COMPACT_AT_MIN, 2 * state.counts.length);
}

/** The record of the measure in this moment; -1 where there is none. */
function findMoment(counts: readonly number[], measure: number, nowSeconds: number): number {
  const [{ step }] = COUNT_STEPS;
  const moment = Math.floor(nowSeconds / step);
  const from = Math.max(0, counts.length - LOOK_BACK * RECORD);
  for (let at = counts.length - RECORD; at >= from; at -= RECORD) {
    if (Math.floor((counts[at] ?? 0) / step) !== moment) return -1;
    if (counts[at + 1] === measure) return at;
  }
  return -1;
}

/** The same counts without those that no window reaches, put together as far as their age allows. */
function compact(counts: readonly number[], nowSeconds: number): number[] {
  const kept: number[][] = [];
  const byStep = new Map<string, number[]>();
  for (let at = counts.length - RECORD; at >= 0; at -= RECORD) {
    const [time = 0, measure = 0, number = 0] = counts.slice(at, at + RECORD);
    const place = COUNT_STEPS.findIndex(({ age }) => nowSeconds - time <= age);
    if (place === -1) continue;
    const key = `${measure}:${place}:${Math.floor(time / (COUNT_STEPS[place]?.step ?? 1))}`;
    const later = byStep.get(key);
    if (later !== undefined) {
      // A change that could not be sent at once stands behind later ones.
      later[0] = Math.max(later[0] ?? 0, time);
      later[2] = (later[2] ?? 0) + number;
    } else {
      const record = [time, measure, number];
      byStep.set(key, record);
      kept.push(record);
    }
  }
  return kept.reverse().flat();
}

/** How often a measure was counted after `fromSeconds`, or up to a tenth of the window before. */
export function countAfter({ counts }: ActivityState, measure: number, fromSeconds: number): number {
  let total = 0;
  for (let at = 0; at < counts.length; at += RECORD) {
    if ((counts[at] ?? 0) > fromSeconds && counts[at + 1] === measure) total += counts[at + 2] ?? 0;
  }
  return total;
}

/** How many distinct values of a kind were seen after `fromSeconds`: DISTINCT_MAX where it may be more. */
export function distinctAfter({ seen }: ActivityState, kind: number, fromSeconds: number): number {
  const values = seen[kind] ?? [];
  let total = 0;
  for (let at = 0; at < values.length; at += VALUE)
    if ((values[at + LAST] ?? 0) > fromSeconds && values[at] !== NO_NAME) total += 1;
  return total;
}
