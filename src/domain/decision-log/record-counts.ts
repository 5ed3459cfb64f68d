import type { DecisionRecord } from './decision-record.ts';
import type { Label } from './outcome-label.ts';

/** What decisions are counted by as they are recorded. */
export const STATS_GROUPS = [
  'decision',
  'reason',
  'provider_outcome',
  'provider_cache',
  'provider_cache_level',
  'caller',
  'policy',
  'entry_point',
  'degraded',
  'rule',
  'transition',
] as const;

/** A group that is counted as decisions are recorded. */
export type StatsGroup = (typeof STATS_GROUPS)[number];

/**
 * The groups of counts. `provider_outcome`, `provider_cache` and `provider_cache_level` hold
 * `<provider>/<value>`, the last one for hits alone; the outcome is a CountedOutcome; `reason` and `rule` hold codes and rules with their
 * results, see toResultName; `transition` holds what candidates
 * make of verdicts, see toTransition; `rule_label` holds `<rule>/<label>` for rules that were true, and `latency` holds
 * `<series>/<bucket>` of the series `decision` and of each provider.
 */
export type CountGroup = StatsGroup | 'rule_label' | 'latency';

/** Counts by `<group>:<value>`. Two of them are merged by adding counts of the same name. */
export type Counts = ReadonlyMap<string, number>;

/** Each bucket ends 10 % above the one before, so that a quantile is within 5 %. */
export const BUCKET_GROWTH = 1.1;
/** Milliseconds at which the first bucket ends. */
export const FIRST_BUCKET_MS = 0.01;
/** The bucket that ends beyond the longest deadline of 10 s. */
const BUCKET_MAX = 150;
/** How many buckets there are. */
export const BUCKETS = BUCKET_MAX + 1;
const LOG_GROWTH = Math.log(BUCKET_GROWTH);

/** The name of a count. */
export function countName(group: CountGroup, value: string): string {
  return `${group}:${value}`;
}

/**
 * The changes of counts when the label in force of a decision changes from `before` to `after`; null is no
 * label.
 */
export function countLabel(
  { rules }: { readonly rules: readonly Pick<DecisionRecord['rules'][number], 'rule' | 'result'>[] },
  before: Label | null,
  after: Label | null,
): Counts {
  const changes = new Map<string, number>();
  if (before === after) return changes;
  for (const { rule, result } of rules) {
    if (result !== 'true') continue;
    if (before !== null) add(changes, countName('rule_label', `${rule}/${before}`), -1);
    if (after !== null) add(changes, countName('rule_label', `${rule}/${after}`));
  }
  return changes;
}

/** Adds `more` to `counts`. */
export function addCounts(counts: Map<string, number>, more: Counts): void {
  for (const [name, count] of more) add(counts, name, count);
}

/**
 * The quantiles of these buckets in milliseconds, to within 5 %, for each share (0 to 1); null for each where
 * the buckets are empty.
 */
export function quantilesOfBuckets(
  counts: ReadonlyMap<string | number, number>,
  shares: readonly number[],
): (number | null)[] {
  const buckets: { bucket: number; count: number }[] = [];
  let total = 0;
  for (const [bucket, count] of counts) {
    buckets.push({ bucket: Number(bucket), count });
    total += count;
  }
  buckets.sort((left, right) => left.bucket - right.bucket);
  return shares.map((share) => quantile(buckets, total, share));
}

function quantile(
  buckets: readonly { bucket: number; count: number }[],
  total: number,
  share: number,
): number | null {
  let passed = 0;
  for (const { bucket, count } of buckets) {
    passed += count;
    if (passed >= share * total) return middleOf(bucket);
  }
  return null;
}

/** The bucket of a latency, from 0. */
export function bucketOf(ms: number): number {
  if (!(ms > FIRST_BUCKET_MS)) return 0;
  return Math.min(BUCKET_MAX, Math.ceil(Math.log(ms / FIRST_BUCKET_MS) / LOG_GROWTH));
}

/** The value whose relative error is the same at both ends of the bucket. */
function middleOf(bucket: number): number {
  if (bucket === 0) return FIRST_BUCKET_MS;
  return (FIRST_BUCKET_MS * BUCKET_GROWTH ** bucket * 2) / (1 + BUCKET_GROWTH);
}

function add(counts: Map<string, number>, name: string, count = 1): void {
  counts.set(name, (counts.get(name) ?? 0) + count);
}
