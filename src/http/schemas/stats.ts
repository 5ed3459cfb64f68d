import { z } from 'zod';
import type { StatsWindow } from '../../application/decision-log/plan-window.ts';
import type { Quantiles } from '../../application/decision-log/step-memory.ts';
import type { CountedSpan, DecisionStats } from '../../application/decision-log/summarise-counts.ts';
import { STATS_GROUPS, type StatsGroup } from '../../domain/decision-log/record-counts.ts';
import { toRfc3339 } from '../../platform/rfc3339.ts';

/** The query of GET /v1/stats. */
export const statsQuerySchema = z.strictObject({
  window: z
    .string()
    .regex(/^[1-9]\d{0,4}[mhd]$/)
    .optional()
    .describe('How far back, `1m` to `30d`; `1h` otherwise. The present step counts as part of it.'),
  step: z
    .string()
    .regex(/^[1-9]\d{0,4}[mhd]$/)
    .optional()
    .describe(
      'The length of a step. The window is a whole number of them. Above a window of `24h` it is whole hours. A fitting one otherwise.',
    ),
  group_by: z.enum(STATS_GROUPS).optional().describe('`decision` otherwise.'),
});

/** The checked query of the statistics. */
export type StatsQuery = z.output<typeof statsQuerySchema>;

const count = z.int().min(0);
const quantilesSchema = z
  .object({ p50: z.number().nullable(), p95: z.number().nullable(), p99: z.number().nullable() })
  .describe(
    'Milliseconds, from merged histograms: each is right to within 5 %. Null where nothing was measured.',
  );

const countsSchema = z.record(z.string(), count);

const spanSchema = z.object({
  total: count.describe('Decisions.'),
  counts: countsSchema.describe(
    'By the value of the group; values without a decision are absent. `provider_outcome`, `provider_cache` and `provider_cache_level` are spelled `stytch/timeout`, `stytch/hit` and `stytch/memory`; `reason` and `rule` are the code and the rule where it was true, `CODE:unknown` where it could not be decided, and `CODE:waived` where the policy let that pass. Of a decision with several reasons, providers or rules each counts.',
  ),
  latency_ms: quantilesSchema,
});

const ruleSchema = z.object({
  fired: count.describe('Decisions in which it was true.'),
  unknown: count.describe(
    'Decisions in which it could not be decided, and counted as its `on_unknown` says.',
  ),
  waived: count.describe('Decisions in which it could not be decided, and the policy let that pass.'),
  labels: countsSchema.describe('Of those in which it was true: what they turned out to be.'),
  precision: z
    .number()
    .nullable()
    .describe(
      'Of those in which it was true and that have a label other than `abandoned`: the share that is `fraud` or `challenge_failed`. Null without any. An exempt rule is right where this is low.',
    ),
});

/** The answer of GET /v1/stats. */
export const statsSchema = z.object({
  since: z.string().describe('When the first step begins.').meta({ format: 'date-time' }),
  until: z.string().describe('When the last step ends: it is under way.').meta({ format: 'date-time' }),
  step_seconds: z.int(),
  group_by: z.enum(STATS_GROUPS),
  steps: z
    .array(spanSchema.extend({ at: z.string().describe('When it begins.').meta({ format: 'date-time' }) }))
    .describe('Every step of the window, oldest first, those without a decision too.'),
  totals: spanSchema
    .extend({
      degraded: count,
      provider_latency_ms: z
        .record(z.string(), quantilesSchema)
        .describe('Of calls that were made; evidence from a cache is not among them.'),
    })
    .describe('The whole window.'),
  rules: z
    .record(z.string(), ruleSchema)
    .optional()
    .describe('Only with `group_by=rule`: by the id of the rule, over the whole window.'),
});

/** The statistics, as the wire spells them. */
export type Stats = z.output<typeof statsSchema>;

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a duration of the query, such as `15m`. */
export function toDurationMs(text: string): number {
  return Number(text.slice(0, -1)) * (UNIT_MS[text.slice(-1)] ?? Number.NaN);
}

/** The answer for what was counted in a window. */
export function toStatsBody(window: StatsWindow, group: StatsGroup, stats: DecisionStats): Stats {
  const { steps, totals, degraded, providerLatencyMs, rules } = stats;
  const latencies = Object.entries(providerLatencyMs).map(([id, latency]) => [id, toQuantiles(latency)]);
  return {
    since: toRfc3339(window.sinceMs),
    until: toRfc3339(window.untilMs),
    step_seconds: window.stepMs / 1000,
    group_by: group,
    steps: steps.map((step) => ({ at: toRfc3339(step.startMs), ...toSpan(step) })),
    totals: { ...toSpan(totals), degraded, provider_latency_ms: Object.fromEntries(latencies) },
    ...(group === 'rule' && {
      rules: Object.fromEntries(
        Object.entries(rules).map(([id, rule]) => [id, { ...rule, labels: { ...rule.labels } }]),
      ),
    }),
  };
}

function toSpan({ total, counts, latencyMs }: CountedSpan) {
  return { total, counts: { ...counts }, latency_ms: toQuantiles(latencyMs) };
}

function toQuantiles({ p50, p95, p99 }: Quantiles) {
  return { p50: toShort(p50), p95: toShort(p95), p99: toShort(p99) };
}

/** Three digits: a histogram has no more to say. */
function toShort(ms: number | null): number | null {
  return ms === null ? null : Number(ms.toPrecision(3));
}
