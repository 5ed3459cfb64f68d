import { DISTINCT_MAX, SEEN_KINDS, WINDOW_SECONDS_MAX } from './activity-parts.ts';

/**
 * What is kept of one part of one subject: keyed hashes and counts. Times are whole Unix seconds. Its owner
 * changes it in place; the script for Redis does the same to the same in bytes, and one contract suite covers
 * both.
 *
 * The values of all kinds are one list: a list of its own for each took twice the memory.
 */
export interface ActivityState {
  readonly firstSeconds: number;
  /** What happened before is not all in it; 0 where nothing is missing. */
  readonly sinceSeconds: number;
  /**
   * First where the values of each kind end, in the order of SEEN_KINDS, then those values, kind by kind. Four
   * numbers for each: its name, when it was first seen, when last, and when it was last accepted, 0 for never,
   * or REVOKED. The name 0 stands for those that had to make room: one of them was last seen then, and none
   * later.
   */
  values: number[];
  /** Three numbers for each record: time, measure, count. The latest stands last. */
  counts: number[];
  /** The length of `counts` at which it is made shorter. */
  compactAt: number;
}

/** What happens to the values of a change: they are known from now on, no longer, or as they were (null). */
export type Acceptance = 'accepted' | 'revoked' | null;

/**
 * The values that a request is seen with, in the order of SEEN_KINDS, by names of 48 bits that are not 0 (see
 * seen-name.ts); null where there is none. Shorter lists have none of the kinds that they lack.
 */
export type SeenNames = readonly (number | null)[];

/** The numbers of one value. */
export const VALUE = 4;
const [FIRST, LAST, ACCEPTED] = [1, 2, 3];
const NO_NAME = 0;
const PLACES = SEEN_KINDS.indexOf('places');
/** In place of a time: it was taken back, and not accepted since. */
export const REVOKED = 1;
const RECORD = 3;
/** Where the values of the first kind begin. */
const VALUES_AT = SEEN_KINDS.length;
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
    values: SEEN_KINDS.map(() => VALUES_AT),
    counts: [],
    compactAt: COMPACT_AT_MIN,
  };
}

function beginOf(values: readonly number[], kind: number): number {
  return kind === 0 ? VALUES_AT : endOf(values, kind - 1);
}

function endOf(values: readonly number[], kind: number): number {
  // What is read from a list with names in it is a floating-point number to V8, by which a loop counts slower.
  return (values[kind] ?? VALUES_AT) | 0;
}

/** The numbers of the values of a kind, which is told by its place in SEEN_KINDS. */
export function valuesOf({ values }: ActivityState, kind: number): readonly number[] {
  return values.slice(beginOf(values, kind), endOf(values, kind));
}

/**
 * Notes a value of the kind at this place of SEEN_KINDS. Beyond DISTINCT_MAX the one that was seen longest ago
 * makes room. A place that is not kept is not taken back: only those are kept that were accepted, and must not
 * make room for those that never were.
 */
export function see(
  state: ActivityState,
  kind: number,
  name: number,
  nowSeconds: number,
  acceptance: Acceptance,
): void {
  const held = findValue(state, kind, name);
  if (held === -1 && acceptance === 'revoked' && kind === PLACES) return;
  const at = held === -1 ? addValue(state, kind, name, nowSeconds) : held;
  const { values } = state;
  values[at + LAST] = Math.max(nowSeconds, values[at + LAST] ?? 0);
  if (acceptance === 'accepted') values[at + ACCEPTED] = Math.max(nowSeconds, values[at + ACCEPTED] ?? 0);
  else if (acceptance === 'revoked') values[at + ACCEPTED] = REVOKED;
}

/** Where the numbers of a value stand; -1 where they do not. */
export function findValue({ values }: ActivityState, kind: number, name: number): number {
  const begin = beginOf(values, kind);
  for (let at = endOf(values, kind) - VALUE; at >= begin; at -= VALUE) if (values[at] === name) return at;
  return -1;
}

/** When the value that stands there was first seen. */
export function firstSeenOf({ values }: ActivityState, at: number): number {
  return values[at + FIRST] ?? 0;
}

/** When it was last seen. */
export function lastSeenOf({ values }: ActivityState, at: number): number {
  return values[at + LAST] ?? 0;
}

/** When it was last accepted, 0 for never, or REVOKED. */
export function acceptedOf({ values }: ActivityState, at: number): number {
  return values[at + ACCEPTED] ?? 0;
}

/** True where values had to make room that some window would hold. */
export function hasGap(state: ActivityState, kind: number, nowSeconds: number): boolean {
  return gapOf(state, kind, nowSeconds) > 0;
}

/** When a value was last seen that had to make room and that some window would hold; 0 where there is none. */
export function gapOf(state: ActivityState, kind: number, nowSeconds: number): number {
  const at = findValue(state, kind, NO_NAME);
  const last = at === -1 ? 0 : lastSeenOf(state, at);
  return last > nowSeconds - WINDOW_SECONDS_MAX ? last : 0;
}

/** Adds a value that is not there, as never accepted, and tells where it stands. */
function addValue(state: ActivityState, kind: number, name: number, nowSeconds: number): number {
  const end = endOf(state.values, kind);
  if (end - beginOf(state.values, kind) < DISTINCT_MAX * VALUE) {
    insertValue(state, kind, [name, nowSeconds, nowSeconds, 0]);
    return end;
  }
  const at = makeRoom(state, kind, nowSeconds);
  const { values } = state;
  values[at] = name;
  values[at + FIRST] = nowSeconds;
  values[at + ACCEPTED] = 0;
  return at;
}

/** Frees the place of the value that was seen longest ago, and tells where it is. */
function makeRoom(state: ActivityState, kind: number, nowSeconds: number): number {
  const { values } = state;
  const end = endOf(values, kind);
  let oldest = -1;
  let gap = -1;
  for (let at = beginOf(values, kind); at < end; at += VALUE) {
    if (values[at] === NO_NAME) gap = at;
    else if (oldest === -1 || (values[at + LAST] ?? 0) < (values[oldest + LAST] ?? 0)) oldest = at;
  }
  const last = values[oldest + LAST] ?? 0;
  const isMissed = last > nowSeconds - WINDOW_SECONDS_MAX;
  // The record of the gap is one more than the values, and takes the place of none.
  if (gap !== -1) values[gap + LAST] = Math.max(last, values[gap + LAST] ?? 0);
  else if (isMissed) insertValue(state, kind, [NO_NAME, 0, last, 0]);
  return oldest;
}

/** Puts a value behind the others of its kind. */
function insertValue(state: ActivityState, kind: number, value: readonly number[]): void {
  const values = state.values.toSpliced(endOf(state.values, kind), 0, ...value);
  for (let later = kind; later < SEEN_KINDS.length; later += 1) values[later] = endOf(values, later) + VALUE;
  state.values = values;
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
  counts.push(nowSeconds, measure, 1);
  if (counts.length < state.compactAt) return;
  state.counts = compact(counts, nowSeconds);
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
export function distinctAfter({ values }: ActivityState, kind: number, fromSeconds: number): number {
  const end = endOf(values, kind);
  let total = 0;
  for (let at = beginOf(values, kind); at < end; at += VALUE)
    if ((values[at + LAST] ?? 0) > fromSeconds && values[at] !== NO_NAME) total += 1;
  return total;
}
