import { z } from 'zod';
import type { DistinctSubjects } from '../../application/decision-log/decision-log.ts';
import type { StatsWindow } from '../../application/decision-log/plan-window.ts';
import type { Quantiles } from '../../application/decision-log/step-memory.ts';
import type { CountedSpan, DecisionStats } from '../../application/decision-log/summarise-counts.ts';
import { GROUP_KEYS, type GroupKey } from '../../domain/decision-log/group-keys.ts';
import { SUBJECT_PARTS } from '../../domain/decision-log/subject-parts.ts';
import { toRfc3339 } from '../../platform/rfc3339.ts';
import { decisionFilterShape } from './decision-filter.ts';

const KEY = `(${GROUP_KEYS.join('|')})`;

/** The query of GET /v1/stats. */
export const statsQuerySchema = z.strictObject({
  ...decisionFilterShape,
  window: z
    .string()
    .regex(/^[1-9]\d{0,4}[mhd]$/)
    .optional()
    .describe(
      'How long, `1m` to `400d`, up to now or `until`; `1h` otherwise. The present step counts as part of it.',
    ),
  since: decisionFilterShape.since.describe(
    'Where the window begins, instead of `window`: RFC 3339. It is moved back to the beginning of a step.',
  ),
  until: decisionFilterShape.until.describe(
    'Where the window ends, moved on to the end of a step: RFC 3339. Now otherwise.',
  ),
  step: z
    .string()
    .regex(/^[1-9]\d{0,4}[mhd]$/)
    .optional()
    .describe(
      'The length of a step, a fitting one otherwise; 1500 at most. `window` is a whole number of them. Whole hours where minutes are no longer counted: of more than 24 hours ago, but for a history that keeps them.',
    ),
  group_by: z
    .string()
    .regex(new RegExp(`^${KEY}(,${KEY})?$`))
    .optional()
    .describe(
      `One or two of ${GROUP_KEYS.map((key) => `\`${key}\``).join(', ')}, with a comma between; \`decision\` otherwise.`,
    ),
  compare: z
    .enum(['previous'])
    .optional()
    .describe('`previous`: the window of the same length before it too.'),
  distinct: z
    .enum(['true', 'false'])
    .optional()
    .describe('`true`: also how many different subjects the decisions were about.'),
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
    'By the value of the group; values without a decision are absent. `provider_outcome`, `provider_cache` and `provider_cache_level` are spelled `stytch/timeout`, `stytch/hit` and `stytch/memory`, and an outcome is `not_given` where the caller gave no id to ask about; `reason` and `rule` are the code and the rule where it was true, `CODE:unknown` where it could not be decided, `CODE:waived` where the policy let that pass, and also `CODE:satisfied` where a step-up satisfied it. Of a decision with several reasons, providers or rules each counts.',
  ),
  latency_ms: quantilesSchema,
});

const ruleSchema = z.object({
  fired: count.describe('Decisions in which it was true.'),
  unknown: count.describe(
    'Decisions in which it could not be decided, and counted as its `on_unknown` says.',
  ),
  waived: count.describe('Decisions in which it could not be decided, and the policy let that pass.'),
  satisfied: count.describe('Of those in which it was true or unknown: where a step-up satisfied it.'),
  labels: countsSchema.describe('Of those in which it was true: what they turned out to be.'),
  precision: z
    .number()
    .nullable()
    .describe(
      'Of those in which it was true and that have a label other than `abandoned`: the share that is `fraud` or `challenge_failed`. Null without any. An exempt rule is right where this is low.',
    ),
});

const time = (what: string) => z.string().describe(what).meta({ format: 'date-time' });

const coveredSince = time(
  'Decisions of before were not counted: without tables a log looks at a bounded number, the latest first. Null where all were.',
).nullable();

const distinctSchema = z
  .object({
    ...(Object.fromEntries(SUBJECT_PARTS.map((part) => [part, count])) as Record<
      (typeof SUBJECT_PARTS)[number],
      typeof count
    >),
    covered_since: coveredSince,
  })
  .describe('Different subjects of each part, to within 3 %.');

const pairSchema = z.object({
  values: z.array(z.string()).length(2).describe('In the order of `group_by`.'),
  count,
});

const windowSchema = z.object({
  since: time('When the first step begins.'),
  until: time('When the last step ends: it may be under way.'),
  steps: z
    .array(spanSchema.extend({ at: time('When it begins.') }))
    .describe('Every step of the window, oldest first, those without a decision too.'),
  totals: spanSchema
    .extend({
      degraded: count,
      provider_latency_ms: z
        .record(z.string(), quantilesSchema)
        .describe(
          'Of calls that were made; evidence from a cache is not among them. Empty with filters, with two groups, and with `action`, `country`, `asn`, `asn_name` or `label`.',
        ),
      distinct: distinctSchema.optional().describe('Only with `distinct=true`.'),
    })
    .describe('The whole window.'),
  pairs: z
    .array(pairSchema)
    .optional()
    .describe(
      'Only with two groups: how many decisions have both values, the most frequent first, 1000 at most.',
    ),
  pairs_omitted: count.optional().describe('Pairs beyond those.'),
  values_omitted: count.describe(
    'Values that are left out of `counts`, since there are too many; the most frequent are there.',
  ),
  rules: z
    .record(z.string(), ruleSchema)
    .optional()
    .describe('Only with `group_by=rule` and without filters: by the id of the rule, over the whole window.'),
  covered_since: coveredSince,
});

/** The answer of GET /v1/stats. */
export const statsSchema = windowSchema.extend({
  step_seconds: z.int(),
  group_by: z.string().describe('As it was asked for. With two groups the steps are counted by the first.'),
  previous: windowSchema.optional().describe('Only with `compare=previous`.'),
});

type WindowBody = z.output<typeof windowSchema>;

/** The statistics, as the wire spells them. */
export type Stats = z.output<typeof statsSchema>;

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a duration of the query, such as `15m`. */
export function toDurationMs(text: string): number {
  return Number(text.slice(0, -1)) * (UNIT_MS[text.slice(-1)] ?? Number.NaN);
}

/** The keys of a validated `group_by`. */
export function toGroupKeys(text: string | undefined): readonly GroupKey[] {
  // The schema admits nothing else.
  return (text ?? 'decision').split(',') as GroupKey[];
}

/** What was counted in a window. */
export interface CountedStats {
  readonly window: StatsWindow;
  readonly stats: DecisionStats;
  /** Null where it was not asked for. */
  readonly distinct: DistinctSubjects | null;
}

/** The answer for what was counted in a window, and in the one before it. */
export function toStatsBody(
  counted: CountedStats,
  previous: CountedStats | null,
  by: readonly GroupKey[],
): Stats {
  const { since, until, ...body } = toWindowBody(counted, by);
  return {
    since,
    until,
    step_seconds: counted.window.stepMs / 1000,
    group_by: by.join(),
    ...body,
    ...(previous !== null && { previous: toWindowBody(previous, by) }),
  };
}

function toWindowBody({ window, stats, distinct }: CountedStats, by: readonly GroupKey[]): WindowBody {
  const { steps, totals, degraded, providerLatencyMs, rules, pairs, pairsOmitted } = stats;
  const latencies = Object.entries(providerLatencyMs).map(([id, latency]) => [id, toQuantiles(latency)]);
  const ruleBodies = Object.entries(rules ?? {}).map(([id, rule]) => [
    id,
    { ...rule, labels: { ...rule.labels } },
  ]);
  return {
    since: toRfc3339(window.sinceMs),
    until: toRfc3339(window.untilMs),
    steps: steps.map((step) => ({ at: toRfc3339(step.startMs), ...toSpan(step) })),
    totals: {
      ...toSpan(totals),
      degraded,
      provider_latency_ms: Object.fromEntries(latencies),
      ...(distinct !== null && { distinct: toDistinct(distinct) }),
    },
    ...(by.length > 1 && {
      pairs: pairs.map(({ values, count }) => ({ values: [...values], count })),
      pairs_omitted: pairsOmitted,
    }),
    ...(by.join() === 'rule' && rules !== null && { rules: Object.fromEntries(ruleBodies) }),
    values_omitted: stats.valuesOmitted,
    covered_since: toTimeOrNull(stats.coveredFromMs),
  };
}

function toDistinct({ subjects, coveredFromMs }: DistinctSubjects) {
  return { ...subjects, covered_since: toTimeOrNull(coveredFromMs) };
}

function toTimeOrNull(timeMs: number | null): string | null {
  return timeMs === null ? null : toRfc3339(timeMs);
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
