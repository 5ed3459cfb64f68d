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
  /** The values of each kind, by its place in SEEN_KINDS. */
  readonly seen: readonly SeenValue[][];
  /** Three numbers for each record: time, measure, count. The latest stands last. */
  counts: number[];
  /** The length of `counts` at which it is made shorter. */
  compactAt: number;
}

/** One distinct value. In its list, the one that was seen last stands last. */
export interface SeenValue {
  /** Empty in the record of values that had to make room: when the last of them was seen. */
  readonly name: string;
  readonly first: number;
  last: number;
  /** When a decision with it was last accepted; 0 for never. */
  accepted: number;
}

/** What happens to the values of a change: they are known from now on, no longer, or as they were (null). */
export type Acceptance = 'accepted' | 'revoked' | null;

/** One value of this request. */
export interface Sighting {
  /** The place of its kind in SEEN_KINDS. */
  readonly kind: number;
  readonly name: string;
}

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

/** Notes a value. Beyond DISTINCT_MAX the one that was seen longest ago makes room. */
export function see(
  { seen }: ActivityState,
  { kind, name }: Sighting,
  nowSeconds: number,
  acceptance: Acceptance,
): void {
  const values = seen[kind] ?? [];
  dropOld(values, nowSeconds);
  const place = values.findLastIndex((value) => value.name === name);
  const [held] = place === -1 ? [] : values.splice(place, 1);
  if (held === undefined) makeRoom(values);
  values.push({
    name,
    first: held?.first ?? nowSeconds,
    last: Math.max(nowSeconds, held?.last ?? 0),
    accepted: acceptance === null ? (held?.accepted ?? 0) : acceptance === 'accepted' ? nowSeconds : 0,
  });
}

function dropOld(values: SeenValue[], nowSeconds: number): void {
  const horizon = nowSeconds - WINDOW_SECONDS_MAX;
  while (values.length > 0 && (values[0]?.last ?? 0) <= horizon) values.shift();
}

function makeRoom(values: SeenValue[]): void {
  const hasGap = values[0]?.name === '';
  if (values.length < DISTINCT_MAX + (hasGap ? 1 : 0)) return;
  const dropped = values.splice(0, hasGap ? 2 : 1).at(-1);
  values.unshift({ name: '', first: 0, last: dropped?.last ?? 0, accepted: 0 });
}

/** Counts one more of a measure. */
export function count(state: ActivityState, measure: number, nowSeconds: number): void {
  const { counts } = state;
  const [{ step }] = COUNT_STEPS;
  const moment = Math.floor(nowSeconds / step);
  const from = Math.max(0, counts.length - LOOK_BACK * RECORD);
  for (let at = counts.length - RECORD; at >= from; at -= RECORD) {
    if (Math.floor((counts[at] ?? 0) / step) !== moment) break;
    if (counts[at + 1] !== measure) continue;
    counts[at] = Math.max(counts[at] ?? 0, nowSeconds);
    counts[at + 2] = (counts[at + 2] ?? 0) + 1;
    return;
  }
  counts.push(nowSeconds, measure, 1);
  if (counts.length < state.compactAt) return;
  state.counts = compact(counts, nowSeconds);
  state.compactAt = Math.max(COMPACT_AT_MIN, 2 * state.counts.length);
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
  let total = 0;
  for (const { name, last } of seen[kind] ?? []) if (name !== '' && last > fromSeconds) total += 1;
  return total;
}
