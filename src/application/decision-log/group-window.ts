import type { GroupedDecisions, GroupedStep } from '../../domain/decision-log/decision-groups.ts';
import type { GroupKey } from '../../domain/decision-log/group-keys.ts';
import { quantilesOfBuckets } from '../../domain/decision-log/record-counts.ts';
import type { RecordFilter } from '../../domain/decision-log/record-filter.ts';
import type { DecisionLogReader } from './decision-log.ts';
import type { StatsWindow } from './plan-window.ts';
import type { Quantiles } from './step-memory.ts';
import type { CountedSpan, DecisionStats } from './summarise-counts.ts';

interface GroupWindowOptions {
  readonly reader: Pick<DecisionLogReader, 'group'>;
  /** RFC 3339 in UTC with milliseconds, of Unix milliseconds. */
  readonly formatTime: (unixMs: number) => string;
}

/**
 * The statistics of the decisions in a window that match a filter, by up to two keys: the steps by the first
 * one. There are no latencies of providers and no precision of rules. Rejects with `store_unavailable`.
 */
export async function groupWindow(
  { reader, formatTime }: GroupWindowOptions,
  { sinceMs, untilMs, stepMs }: StatsWindow,
  filter: RecordFilter,
  by: readonly GroupKey[],
): Promise<DecisionStats> {
  const window = { since: formatTime(sinceMs), until: formatTime(untilMs) };
  const grouped = await reader.group({ filter: { ...filter, ...window }, sinceMs, stepMs, by });
  const found = new Map(grouped.steps.map((step) => [step.startMs, step]));
  const starts = Array.from({ length: (untilMs - sinceMs) / stepMs }, (_, place) => sinceMs + place * stepMs);
  const { pairs, pairsOmitted, valuesOmitted, coveredFromMs } = grouped;
  return {
    steps: starts.map((startMs) => toSpan(found.get(startMs) ?? { ...NOTHING, startMs })),
    totals: toSpan(addUp(grouped, sinceMs)),
    degraded: grouped.steps.reduce((sum, { degraded }) => sum + degraded, 0),
    providerLatencyMs: {},
    rules: null,
    pairs,
    pairsOmitted,
    valuesOmitted,
    coveredFromMs,
  };
}

type CountedStep = Omit<GroupedStep, 'degraded'>;

const NOTHING: Omit<CountedStep, 'startMs'> = { total: 0, counts: new Map(), latencies: new Map() };

function addUp({ steps }: GroupedDecisions, startMs: number): CountedStep {
  const counts = new Map<string, number>();
  const latencies = new Map<number, number>();
  for (const step of steps) {
    addAll(counts, step.counts);
    addAll(latencies, step.latencies);
  }
  return { startMs, total: steps.reduce((sum, { total }) => sum + total, 0), counts, latencies };
}

function addAll<Value>(sums: Map<Value, number>, counts: ReadonlyMap<Value, number>): void {
  for (const [value, count] of counts) sums.set(value, (sums.get(value) ?? 0) + count);
}

function toSpan({ startMs, total, counts, latencies }: CountedStep): CountedSpan {
  return { startMs, total, counts: Object.fromEntries(counts), latencyMs: toQuantiles(latencies) };
}

function toQuantiles(latencies: CountedStep['latencies']): Quantiles {
  const [p50 = null, p95 = null, p99 = null] = quantilesOfBuckets(latencies, [0.5, 0.95, 0.99]);
  return { p50, p95, p99 };
}
