import type { GroupedPair } from '../../domain/decision-log/decision-groups.ts';
import { estimateShare } from '../../domain/decision-log/estimate-share.ts';
import type { GroupedCounts } from '../../domain/decision-log/grouped-counts.ts';
import { sidesOf } from '../../domain/decision-log/outcome-label.ts';
import type { StatsGroup } from '../../domain/decision-log/record-counts.ts';
import { type CountedResult, fromResultName } from '../../domain/decision-log/rule-results.ts';
import { type CountedWindow, quantilesOf } from './count-steps.ts';
import type { StatsWindow } from './plan-window.ts';
import type { CountedStep, Quantiles } from './step-memory.ts';

/** Counts of one step or of the whole window. */
export interface CountedSpan {
  readonly startMs: number;
  readonly total: number;
  /** By the value of the requested group. */
  readonly counts: Readonly<Record<string, number>>;
  readonly latencyMs: Quantiles;
}

/** How often a rule was true, unknown or waived, or satisfied, and how those decisions turned out. */
export interface RuleStats {
  readonly fired: number;
  readonly unknown: number;
  readonly waived: number;
  /** Of those in which it was true or unknown: how often a step-up satisfied it. */
  readonly satisfied: number;
  readonly labels: Readonly<Record<string, number>>;
  /** The share of labelled decisions in which the rule was right; null without any. */
  readonly precision: number | null;
}

/** The statistics of one window; latencies are milliseconds, by provider and by rule where named so. */
export interface DecisionStats {
  readonly steps: readonly CountedSpan[];
  readonly totals: CountedSpan;
  readonly degraded: number;
  readonly providerLatencyMs: Readonly<Record<string, Quantiles>>;
  /** Null where they were not counted. */
  readonly rules: Readonly<Record<string, RuleStats>> | null;
  /** See GroupedDecisions. */
  readonly pairs: readonly GroupedPair[];
  readonly pairsOmitted: number;
  readonly valuesOmitted: number;
  readonly coveredFromMs: number | null;
}

/** The summary of a counted window for one group. */
export function summariseCounts(
  { steps, all }: CountedWindow,
  { sinceMs, stepMs }: StatsWindow,
  group: StatsGroup,
): DecisionStats {
  return {
    steps: steps.map((step, place) => toSpan(sinceMs + place * stepMs, step, group)),
    totals: toSpan(sinceMs, all, group),
    degraded: all.counts.of('degraded').get('true') ?? 0,
    providerLatencyMs: providerLatencies(all.counts),
    rules: ruleStats(all.counts),
    pairs: [],
    pairsOmitted: 0,
    valuesOmitted: 0,
    coveredFromMs: null,
  };
}

function toSpan(startMs: number, { counts, latencyMs }: CountedStep, group: StatsGroup): CountedSpan {
  const total = sum(counts.of('decision').values());
  return {
    startMs,
    total,
    counts: Object.fromEntries(counts.of(group)),
    latencyMs,
  };
}

function providerLatencies(counts: GroupedCounts): Record<string, Quantiles> {
  const providers = counts.series().filter((series) => series !== 'decision');
  return Object.fromEntries(providers.map((provider) => [provider, quantilesOf(counts, provider)]));
}

interface Labelled {
  readonly labels: Record<string, number>;
}

const FIELD_OF = {
  true: 'fired',
  unknown: 'unknown',
  waived: 'waived',
  satisfied: 'satisfied',
} as const satisfies Record<CountedResult, keyof RuleStats>;

function ruleStats(counts: GroupedCounts): Record<string, RuleStats> {
  const rules = new Map<string, Record<(typeof FIELD_OF)[CountedResult], number> & Labelled>();
  const statsOf = (rule: string) => {
    const known = rules.get(rule) ?? { fired: 0, unknown: 0, waived: 0, satisfied: 0, labels: {} };
    rules.set(rule, known);
    return known;
  };
  for (const [value, count] of counts.of('rule')) {
    const { name, result } = fromResultName(value);
    statsOf(name)[FIELD_OF[result]] += count;
  }
  for (const [value, count] of counts.of('rule_label')) {
    const [rule = '', label = ''] = value.split('/');
    // A label that was replaced leaves a count of 0.
    if (count > 0) statsOf(rule).labels[label] = count;
  }
  const sorted = [...rules].sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(
    sorted.map(([rule, stats]) => [rule, { ...stats, precision: precisionOf(stats.labels) }]),
  );
}

function precisionOf(labels: Readonly<Record<string, number>>): number | null {
  const { fraud, legit } = sidesOf(new Map(Object.entries(labels)));
  return estimateShare(fraud, fraud + legit).share;
}

function sum(counts: Iterable<number>): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
