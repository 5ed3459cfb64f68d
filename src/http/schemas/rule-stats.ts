import { z } from 'zod';
import type { RulePerformance, RuleStatistics } from '../../application/decision-log/rule-statistics.ts';
import type { CountedSpan, DecisionStats } from '../../application/decision-log/summarise-counts.ts';
import type { EstimatedShare } from '../../domain/decision-log/estimate-share.ts';
import { toResultName } from '../../domain/decision-log/rule-results.ts';
import { ON_UNKNOWN, type PolicyDocument, type PolicyRule } from '../../domain/policy/document.ts';
import { VERDICTS } from '../../domain/verdict.ts';
import { toRfc3339 } from '../../platform/rfc3339.ts';
import { type CountedStats, statsQuerySchema } from './stats.ts';

/** The query of GET /v1/stats/rules. */
export const ruleStatsQuerySchema = statsQuerySchema.omit({ group_by: true, compare: true, distinct: true });

/** The checked query of the statistics of rules. */
export type RuleStatsQuery = z.output<typeof ruleStatsQuerySchema>;

const count = z.int().min(0);
const countsSchema = z.record(z.string(), count);
const time = (what: string) => z.string().describe(what).meta({ format: 'date-time' });

const shareSchema = (what: string) =>
  z
    .object({
      share: z.number().min(0).max(1).nullable().describe('Null where there is nothing to tell it by.'),
      n: count.describe('Of how many decisions.'),
      low: z.number().describe('The true share is most likely above this: 95 %, by Wilson.'),
      high: z.number().describe('And below this.'),
    })
    .describe(what);

const writtenSchema = z
  .object({
    verdict: z.enum(VERDICTS),
    reason: z.string(),
    when: z.string(),
    on_unknown: z.enum(ON_UNKNOWN),
    exempt: z.boolean(),
    observe: z.boolean(),
    description: z.string().nullable(),
  })
  .describe('Its text, of the policy in force where that has it.');

const ruleStatsSchema = z.object({
  rule: z.string().describe('The id of the rule.'),
  in_force: z.boolean().describe('The policy in force has it.'),
  written: writtenSchema.nullable().describe('Null where no text is known.'),
  since: time(
    'Since when it stands as it does in the policy in force, as far as policies are remembered: `GET /v1/policies/history`. Null where that is not known.',
  ).nullable(),
  fired: count.describe('Decisions in which it was true.'),
  unknown: count.describe('In which it could not be decided, and counted as its `on_unknown` says.'),
  waived: count.describe('In which it could not be decided, and the policy let that pass.'),
  satisfied: count.describe('Of those in which it was true or unknown: where a step-up satisfied it.'),
  fired_by_step: z
    .array(count)
    .nullable()
    .describe('One for each step, oldest first. Null where there are too many rules and steps to tell.'),
  decisive: count.describe(
    'Decisions that would have come to another verdict without it: no other rule reached the verdict, or it is exempt and was true.',
  ),
  labels: countsSchema.describe('Of decisions in which it was true: the labels in force.'),
  precision: shareSchema(
    'Of decisions in which it was true and that turned out one way or the other: the share that is `fraud` or `challenge_failed`. `abandoned` counts for neither.',
  ),
  recall: shareSchema(
    'Of all decisions that turned out `fraud` or `challenge_failed`: the share in which it was true.',
  ),
  challenge_pass: shareSchema(
    'Of decisions in which it was true that were a CHALLENGE, and are labelled `challenge_passed` or `challenge_failed`: the share that was passed.',
  ),
  time_to_label_ms: z
    .number()
    .nullable()
    .describe(
      'The median time from the decision to the label in force, where it was true: to within 5 %, a minute at least. Null without a label.',
    ),
});

/** The answer of GET /v1/stats/rules. */
export const ruleStatsAnswerSchema = z.object({
  since: time('When the first step begins.'),
  until: time('When the last step ends: it may be under way.'),
  step_seconds: z.int(),
  total: count.describe('Decisions of the window that fit the filters.'),
  labels: countsSchema.describe('What decisions turned out to be, whatever their rules.'),
  rules: z
    .array(ruleStatsSchema)
    .describe('Those of the policy in force in its order, and then others that applied in the window.'),
  policies_unknown: count.describe(
    'Decisions that count in no `decisive`: the text of their policy is not known, or there are more than 16 policies.',
  ),
  omitted: count.describe(
    'Decisions that count in no `decisive`, `labels` and what is told by them: there are too many kinds.',
  ),
  covered_since: time(
    'For `decisive`, `labels` and what is told by them, decisions of before were not looked at; with filters, for nothing. Null where all were.',
  ).nullable(),
});

type RuleBody = z.output<typeof ruleStatsSchema>;

/** What was counted, and the policies that it is told by. */
interface CountedRules {
  /** Of the window by rules. */
  readonly counted: CountedStats;
  readonly performance: RuleStatistics;
  readonly inForce: PolicyDocument;
  /** See rulesSince. */
  readonly sinceMs: ReadonlyMap<string, number>;
}

/** The statistics of rules, as the wire spells them. */
export function toRuleStatsBody({
  counted: { window, stats },
  performance,
  inForce,
  sinceMs,
}: CountedRules): z.output<typeof ruleStatsAnswerSchema> {
  const { labels, undecided, omitted, coveredFromMs, policies } = performance;
  const ids = new Set(inForce.rules.map(({ id }) => id));
  const seen = Object.keys(stats.totals.counts).map((name) => name.split(':')[0] ?? '');
  const others = [...new Set([...performance.rules.keys(), ...seen])].filter((id) => !ids.has(id)).sort();
  const writtenIn = [inForce, ...policies];
  const toBody = (id: string): RuleBody => ({
    rule: id,
    in_force: ids.has(id),
    written: toWritten(writtenIn, id),
    since: toTimeOrNull(sinceMs.get(id)),
    ...toCounts(stats, id),
    ...toPerformance(performance.rules.get(id) ?? performance.none),
  });
  return {
    since: toRfc3339(window.sinceMs),
    until: toRfc3339(window.untilMs),
    step_seconds: window.stepMs / 1000,
    total: stats.totals.total,
    labels: { ...labels },
    rules: [...ids, ...others].map(toBody),
    policies_unknown: undecided,
    omitted,
    covered_since: toTimeOrNull(coveredFromMs),
  };
}

function toTimeOrNull(timeMs: number | null | undefined): string | null {
  return timeMs == null ? null : toRfc3339(timeMs);
}

function toWritten(documents: readonly PolicyDocument[], id: string): RuleBody['written'] {
  for (const { rules } of documents) {
    const rule = rules.find((one) => one.id === id);
    if (rule !== undefined) return toWrittenBody(rule);
  }
  return null;
}

function toWrittenBody({ verdict, reason, when, on_unknown, exempt, observe, description }: PolicyRule) {
  return { verdict, reason, when, on_unknown, exempt, observe, description: description ?? null };
}

function toCounts({ steps, totals, valuesOmitted }: DecisionStats, id: string) {
  const fired = ({ counts }: CountedSpan) => counts[id] ?? 0;
  const of = (result: 'unknown' | 'waived' | 'satisfied') => totals.counts[toResultName(id, result)] ?? 0;
  const isTold = valuesOmitted === 0 || fired(totals) > 0;
  return {
    fired: fired(totals),
    unknown: of('unknown'),
    waived: of('waived'),
    satisfied: of('satisfied'),
    fired_by_step: isTold ? steps.map(fired) : null,
  };
}

function toPerformance(rule: RulePerformance) {
  const { decisive, labels, precision, recall, challengePass, medianDelayMs } = rule;
  return {
    decisive,
    labels: { ...labels },
    precision: toShare(precision),
    recall: toShare(recall),
    challenge_pass: toShare(challengePass),
    time_to_label_ms: medianDelayMs === null ? null : Math.round(medianDelayMs),
  };
}

/** Four digits: intervals are wider. */
function toShare({ share, n, low, high }: EstimatedShare) {
  const round = (value: number) => Math.round(value * 10_000) / 10_000;
  return { share: share === null ? null : round(share), n, low: round(low), high: round(high) };
}
