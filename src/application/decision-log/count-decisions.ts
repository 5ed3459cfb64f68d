import {
  addCounts,
  type CountGroup,
  type Counts,
  countsOf,
  quantilesOf,
} from '../../domain/decision-log/record-counts.ts';
import { failure, type Result, success } from '../../domain/result.ts';
import type { CountPeriod, CountsOfPeriod, DecisionLogReader } from './decision-log.ts';
import { MINUTES_KEPT_MS, PERIOD_MS } from './decision-log.ts';

/** A window of whole steps, Unix milliseconds; the last step is the present one. */
export interface StatsWindow {
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly stepMs: number;
  readonly period: CountPeriod;
}

/** Counts of one step or of the whole window. */
export interface CountedSpan {
  readonly startMs: number;
  readonly total: number;
  /** By the value of the group that was asked for. */
  readonly counts: Readonly<Record<string, number>>;
  readonly latencyMs: Quantiles;
}

/** Milliseconds below which half, 95 and 99 of a hundred lie; null where nothing was measured. */
export interface Quantiles {
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

/** How often a rule spoke, and how that turned out. */
export interface RuleStats {
  readonly fired: number;
  readonly unknown: number;
  readonly labels: Readonly<Record<string, number>>;
  /** The share of labelled decisions in which it was right; null without any. */
  readonly precision: number | null;
}

export interface DecisionStats {
  readonly steps: readonly CountedSpan[];
  readonly totals: CountedSpan;
  readonly degraded: number;
  readonly providerLatencyMs: Readonly<Record<string, Quantiles>>;
  readonly rules: Readonly<Record<string, RuleStats>>;
}

export const WINDOW_MS_MAX = 30 * 24 * PERIOD_MS.hour;

/** Steps that a chart can show, by the window above which each suits. */
const STEPS_MS: readonly (readonly [aboveMs: number, stepMs: number])[] = [
  [PERIOD_MS.hour, 5 * PERIOD_MS.minute],
  [6 * PERIOD_MS.hour, 15 * PERIOD_MS.minute],
  [MINUTES_KEPT_MS, PERIOD_MS.hour],
  [7 * 24 * PERIOD_MS.hour, 6 * PERIOD_MS.hour],
];

/** The window of `windowMs` that ends with the present step, or the field that asks too much and why. A `stepMs` of null takes a fitting one. */
export function planWindow(
  windowMs: number,
  stepMs: number | null,
  nowMs: number,
): Result<StatsWindow, { readonly field: 'window' | 'step'; readonly detail: string }> {
  if (windowMs > WINDOW_MS_MAX) return failure([{ field: 'window', detail: 'must be 30d at most' }]);
  const period = windowMs > MINUTES_KEPT_MS ? 'hour' : 'minute';
  if (windowMs % PERIOD_MS[period] !== 0)
    return failure([{ field: 'window', detail: 'must be whole hours above 24h' }]);
  const length = stepMs ?? fittingStep(windowMs);
  if (length % PERIOD_MS[period] !== 0)
    return failure([{ field: 'step', detail: 'must be whole hours for a window above 24h' }]);
  if (windowMs % length !== 0) return failure([{ field: 'step', detail: 'must divide the window' }]);
  const untilMs = (Math.floor(nowMs / length) + 1) * length;
  return success({ sinceMs: untilMs - windowMs, untilMs, stepMs: length, period });
}

/** The longest of the usual steps that suits the window and divides it. */
function fittingStep(windowMs: number): number {
  const usual = STEPS_MS.findLast(([aboveMs, stepMs]) => windowMs > aboveMs && windowMs % stepMs === 0);
  return usual?.[1] ?? PERIOD_MS.minute;
}

/** Counts the decisions of a window by `group`, from the counters and never from records. Rejects with `store_unavailable`. */
export async function countDecisions(
  reader: Pick<DecisionLogReader, 'counts'>,
  window: StatsWindow,
  group: CountGroup,
): Promise<DecisionStats> {
  const { sinceMs, untilMs, stepMs, period } = window;
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
  };
}

function mergeBySteps(
  periods: readonly CountsOfPeriod[],
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
  const total = sum(countsOf(counts, 'verdict').values());
  return {
    startMs,
    total,
    counts: group === 'rule' ? firedOf(counts) : Object.fromEntries(countsOf(counts, group)),
    latencyMs: quantiles(counts, 'decision'),
  };
}

/** The counts of rules that were true, by rule. */
function firedOf(counts: Counts): Record<string, number> {
  const fired: [string, number][] = [];
  for (const [value, count] of countsOf(counts, 'rule')) {
    const [rule = '', result] = value.split('/');
    if (result === 'true') fired.push([rule, count]);
  }
  return Object.fromEntries(fired);
}

function quantiles(counts: Counts, series: string): Quantiles {
  const [p50 = null, p95 = null, p99 = null] = quantilesOf(counts, series, [0.5, 0.95, 0.99]);
  return { p50, p95, p99 };
}

function providerLatencies(counts: Counts): Record<string, Quantiles> {
  const series = new Set<string>();
  for (const value of countsOf(counts, 'latency').keys()) series.add(value.slice(0, value.lastIndexOf('/')));
  series.delete('decision');
  return Object.fromEntries([...series].sort().map((provider) => [provider, quantiles(counts, provider)]));
}

function ruleStats(counts: Counts): Record<string, RuleStats> {
  const rules = new Map<string, { fired: number; unknown: number; labels: Record<string, number> }>();
  const statsOf = (rule: string) => {
    const known = rules.get(rule) ?? { fired: 0, unknown: 0, labels: {} };
    rules.set(rule, known);
    return known;
  };
  for (const [value, count] of countsOf(counts, 'rule')) {
    const [rule = '', result] = value.split('/');
    statsOf(rule)[result === 'true' ? 'fired' : 'unknown'] += count;
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
