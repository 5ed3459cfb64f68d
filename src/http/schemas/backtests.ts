import { z } from 'zod';
import type { BacktestReport } from '../../domain/backtest/to-report.ts';
import { OUTCOME_LABELS } from '../../domain/decision-log/outcome-label.ts';
import { VERDICTS } from '../../domain/verdict.ts';
import { toRfc3339 } from '../../platform/rfc3339.ts';
import { decisionFilterShape } from './decision-filter.ts';

const { since: _since, until: _until, ...whereShape } = decisionFilterShape;

/** The filters of a backtest beside its time: those of GET /v1/decisions. */
export const backtestWhereSchema = z.strictObject(whereShape);

/** What it costs to answer so where a decision turned out so. */
export const costMatrixSchema = z.partialRecord(
  z.enum(OUTCOME_LABELS),
  z.partialRecord(z.enum(VERDICTS), z.number().min(0).max(1e12)),
);

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
