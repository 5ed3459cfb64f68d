import { z } from 'zod';
import type { BacktestJob } from '../../application/backtest/backtest-jobs.ts';
import type { BacktestReport } from '../../domain/backtest/to-report.ts';
import { OUTCOME_LABELS } from '../../domain/decision-log/outcome-label.ts';
import { VERDICTS, type Verdict } from '../../domain/verdict.ts';
import { toRfc3339 } from '../../platform/rfc3339.ts';
import { decisionFilterShape } from './decision-filter.ts';

const { since: _since, until: _until, ...whereShape } = decisionFilterShape;

/** The filters of a backtest beside its time: those of GET /v1/decisions. */
export const backtestWhereSchema = z.strictObject(whereShape);

const costs = z.strictObject(
  Object.fromEntries(VERDICTS.map((verdict) => [verdict, z.number().min(0).max(1e12).optional()])) as Record<
    Verdict,
    z.ZodOptional<z.ZodNumber>
  >,
);

/** What it costs to answer so where a decision turned out so. */
export const costMatrixSchema = z.strictObject(
  Object.fromEntries(OUTCOME_LABELS.map((label) => [label, costs.optional()])) as Record<
    (typeof OUTCOME_LABELS)[number],
    z.ZodOptional<typeof costs>
  >,
);

/** The largest policy, in characters. */
const POLICY_CHARS_MAX = 1_048_576;

/** The body of POST /v1/backtests. */
export const backtestRequestSchema = z.strictObject({
  policy: z.string().min(1).max(POLICY_CHARS_MAX).describe('The text of the policy, as in its file.'),
  since: decisionFilterShape.since,
  until: decisionFilterShape.until,
  where: backtestWhereSchema.optional().describe('Only these decisions: the filters of `GET /v1/decisions`.'),
  costs: costMatrixSchema
    .optional()
    .describe('What each verdict costs, by label; what is absent costs nothing.'),
});

/** A checked body. */
export type BacktestRequest = z.output<typeof backtestRequestSchema>;

const changes = {
  decisions: z.int(),
  changed: z.int().describe('Of them, those whose verdict changes.'),
  stricter: z.int(),
  milder: z.int(),
};
const quality = z.object({
  precision: z
    .number()
    .nullable()
    .describe('Of the decisions that are stopped, the share that turned out bad.'),
  recall: z.number().nullable().describe('Of the decisions that turned out bad, the share that is stopped.'),
});
const policyQuality = z.object({
  blocked: quality.describe('A BLOCK stops.'),
  challenged: quality.describe('A CHALLENGE stops, too.'),
  cost: z.number().nullable().describe('By the given costs; null without any.'),
});
const byVerdict = z.object({ ALLOW: z.int(), CHALLENGE: z.int(), BLOCK: z.int() });

/** What a candidate would have changed, as the wire spells it. */
const backtestReportSchema = z.object({
  decisions: z.int().describe('Those that match, whether they could be judged or not.'),
  judged: z.int(),
  not_replayable: z
    .array(z.object({ reason: z.string(), count: z.int() }))
    .describe('Decisions that could not be judged, by the reason: none of them is in what follows.'),
  degraded: z.int().describe('Decisions that the candidate finds degraded.'),
  changes: z.object(changes),
  transitions: z.array(
    z.object({
      from: z.enum(VERDICTS).describe('What was decided.'),
      to: z.enum(VERDICTS).describe('What the candidate comes to.'),
      count: z.int(),
      samples: z
        .array(z.string())
        .describe('Ids of such decisions, the latest first; none where from is to.'),
    }),
  ),
  rules: z
    .array(
      z.object({
        rule: z.string().describe('True; `:unknown`, `:waived` and `:satisfied` are counted apart.'),
        before: z.int().describe('Decisions in which it was so.'),
        after: z.int().describe('Decisions in which it is so by the candidate.'),
        gained: z.int().describe('By the candidate alone.'),
        lost: z.int().describe('By the policy of the day alone.'),
      }),
    )
    .describe('The most different first.'),
  callers: z.array(z.object({ caller: z.string(), ...changes })),
  actions: z.array(z.object({ action: z.string(), ...changes })),
  hours: z.array(z.object({ at: z.string().meta({ format: 'date-time' }), ...changes })),
  labelled: z
    .object({
      labels: z.array(z.object({ label: z.enum(OUTCOME_LABELS), before: byVerdict, after: byVerdict })),
      before: policyQuality,
      after: policyQuality,
    })
    .nullable()
    .describe('By how decisions turned out; null where none has a label.'),
  accounts: z
    .array(z.object({ account: z.string(), stricter: z.int(), milder: z.int() }))
    .describe('Those whose decisions change most, by their keyed hashes.'),
  accounts_left_out: z
    .int()
    .describe('How many changes of one account may be missing, since there were too many accounts.'),
});

/** A report as the wire spells it. */
export function toBacktestReport({
  notReplayable,
  accountsLeftOut,
  hours,
  ...report
}: BacktestReport): z.input<typeof backtestReportSchema> {
  return {
    ...(structuredClone(report) as Mutable<typeof report>),
    not_replayable: [...notReplayable],
    hours: hours.map(({ hourMs, ...rest }) => ({ at: toRfc3339(hourMs), ...rest })),
    accounts_left_out: accountsLeftOut,
  };
}

type Mutable<Value> = { -readonly [Name in keyof Value]: Mutable<Value[Name]> };

/** A backtest, as answers have it. */
export const backtestSchema = z.object({
  id: z.string().describe('A UUIDv7.'),
  state: z
    .enum(['running', 'done', 'failed', 'cancelled'])
    .describe('`failed`: the log could not be read, or ten minutes were not enough.'),
  caller: z.string().describe('The id of the API key that asked for it.'),
  policy_hash: z.string(),
  began_at: z.string().meta({ format: 'date-time' }),
  ended_at: z.string().nullable().meta({ format: 'date-time' }),
  entries: z.int().describe('Entries of the log that were looked at so far.'),
  report: backtestReportSchema.nullable().describe('Null unless it is done.'),
});

/** A backtest as the wire spells it. */
export function toBacktestBody(job: BacktestJob): z.input<typeof backtestSchema> {
  const { id, state, caller, hash, beganAtMs, endedAtMs, entries, report } = job;
  return {
    id,
    state,
    caller,
    policy_hash: hash,
    began_at: toRfc3339(beganAtMs),
    ended_at: endedAtMs === null ? null : toRfc3339(endedAtMs),
    entries,
    report: report === null ? null : toBacktestReport(report),
  };
}
