import type { DecisionLogReader } from '../../src/application/decision-log/decision-log.ts';
import type { StatsWindow } from '../../src/application/decision-log/plan-window.ts';
import type { Quantiles } from '../../src/application/decision-log/step-memory.ts';
import type {
  CountedSpan,
  DecisionStats,
  RuleStats,
} from '../../src/application/decision-log/summarise-counts.ts';
import {
  addCounts,
  type CountGroup,
  type Counts,
  countName,
  quantilesOfBuckets,
} from '../../src/domain/decision-log/record-counts.ts';

/**
 * The statistics of a window in the plainest way: every minute of it (or hour, above a day) is read and
 * searched name by name. What is asked in a cleverer way has to come to the same.
 */
export async function countPlainly(
  reader: Pick<DecisionLogReader, 'counts'>,
  window: StatsWindow,
  group: CountGroup,
): Promise<DecisionStats> {
  const { sinceMs, untilMs, stepMs } = window;
  const period = untilMs - sinceMs > 86_400_000 ? 'hour' : 'minute';
  const periods = await reader.counts({ sinceMs, untilMs, period });
  const bySteps = mergeBySteps(periods, window);
  const all = new Map<string, number>();
  for (const counts of bySteps) addCounts(all, counts);
  return {
    steps: bySteps.map((counts, place) => toSpan(sinceMs + place * stepMs, counts, group)),
    totals: toSpan(sinceMs, all, group),
    degraded: countsOf(all, 'degraded').get('true') ?? 0,
    providerLatencyMs: providerLatencies(all),
    rules: ruleStats(all),
    pairs: [],
    pairsOmitted: 0,
    valuesOmitted: 0,
    coveredFromMs: null,
  };
}

function mergeBySteps(
  periods: Awaited<ReturnType<DecisionLogReader['counts']>>,
  { sinceMs, untilMs, stepMs }: StatsWindow,
): readonly Map<string, number>[] {
  const steps = Array.from({ length: (untilMs - sinceMs) / stepMs }, () => new Map<string, number>());
  for (const { startMs, counts } of periods) {
    const step = steps[Math.floor((startMs - sinceMs) / stepMs)];
    if (step !== undefined) addCounts(step, counts);
  }
  return steps;
}

function toSpan(startMs: number, counts: Counts, group: CountGroup): CountedSpan {
  const total = sum(countsOf(counts, 'decision').values());
  return {
    startMs,
    total,
    counts: Object.fromEntries(countsOf(counts, group)),
    latencyMs: quantiles(counts, 'decision'),
  };
}

function providerLatencies(counts: Counts): Record<string, Quantiles> {
  const series = new Set<string>();
  for (const value of countsOf(counts, 'latency').keys()) series.add(value.slice(0, value.lastIndexOf('/')));
  series.delete('decision');
  return Object.fromEntries([...series].sort().map((provider) => [provider, quantiles(counts, provider)]));
}

function ruleStats(counts: Counts): Record<string, RuleStats> {
  const rules = new Map<
    string,
    { fired: number; unknown: number; waived: number; satisfied: number; labels: Record<string, number> }
  >();
  const statsOf = (rule: string) => {
    const known = rules.get(rule) ?? { fired: 0, unknown: 0, waived: 0, satisfied: 0, labels: {} };
    rules.set(rule, known);
    return known;
  };
  for (const [value, count] of countsOf(counts, 'rule')) {
    const [rule = '', result] = value.split(':');
    if (result === undefined) statsOf(rule).fired += count;
    else statsOf(rule)[result === 'waived' || result === 'satisfied' ? result : 'unknown'] += count;
  }
  for (const [value, count] of countsOf(counts, 'rule_label')) {
    const [rule = '', label = ''] = value.split('/');
    // A label that was replaced leaves a count of nothing.
    if (count > 0) statsOf(rule).labels[label] = count;
  }
  const sorted = [...rules].sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(
    sorted.map(([rule, stats]) => [rule, { ...stats, precision: precisionOf(stats.labels) }]),
  );
}

/** `abandoned` says nothing of who it was. */
function precisionOf(labels: Readonly<Record<string, number>>): number | null {
  const right = (labels['fraud'] ?? 0) + (labels['challenge_failed'] ?? 0);
  const wrong = (labels['legit'] ?? 0) + (labels['challenge_passed'] ?? 0);
  return right + wrong === 0 ? null : right / (right + wrong);
}

function sum(counts: Iterable<number>): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}

/** The counts of one group, by value. */
function countsOf(counts: Counts, group: CountGroup): ReadonlyMap<string, number> {
  const prefix = countName(group, '');
  const found = new Map<string, number>();
  for (const [name, count] of counts)
    if (name.startsWith(prefix)) found.set(name.slice(prefix.length), count);
  return found;
}

function quantiles(counts: Counts, series: string): Quantiles {
  const buckets = new Map<string, number>();
  for (const [value, count] of countsOf(counts, 'latency')) {
    const slash = value.lastIndexOf('/');
    if (value.slice(0, slash) === series) buckets.set(value.slice(slash + 1), count);
  }
  const [p50 = null, p95 = null, p99 = null] = quantilesOfBuckets(buckets, [0.5, 0.95, 0.99]);
  return { p50, p95, p99 };
}
