import { z } from 'zod';
import { CACHE_LEVELS, CACHE_RESULTS, OUTCOMES } from './evidence.ts';
import { ON_UNKNOWN } from './policy/document.ts';
import { RULE_RESULTS } from './policy/rule-trace.ts';
import { VERDICTS } from './verdict.ts';

const reason = {
  code: z.string().describe('Upper snake case.'),
  rule: z.string(),
  verdict: z.enum(VERDICTS).describe('What the rule contributed.'),
  providers: z.array(z.string()).readonly().describe('Those that the rule reads.'),
  certain: z.boolean().describe('False when the rule is unknown because evidence is missing.'),
  satisfied: z
    .boolean()
    .optional()
    .describe('True where a step-up satisfies the CHALLENGE of the rule; absent otherwise.'),
  step_up: z
    .object({
      age_seconds: z.int().describe('How long before the decision the challenge was completed.'),
      method: z.string().nullable().describe('How, as the back end told it.'),
      acr: z.string().nullable().describe('What it achieved, as the back end told it.'),
    })
    .optional()
    .describe('The step-up that does.'),
};

/**
 * A decision as callers and readers know it. Answers, records, lists, streams and exports take their fields
 * from here, so that one thing has one name.
 */
export const decisionFields = {
  decision_id: z.string().describe('UUIDv7.').meta({ format: 'uuid' }),
  decision: z.enum(VERDICTS).describe('CHALLENGE is BLOCK until your step-up is completed.'),
  reasons: z
    .array(z.object(reason))
    .readonly()
    .describe('Every rule that is true or unknown, strictest first.'),
  degraded: z
    .boolean()
    .describe(
      'A provider that the policy needs gave no definite answer, or custody that it needs is unknown.',
    ),
  waivers: z
    .array(z.object({ code: reason.code, rule: reason.rule, providers: reason.providers }))
    .readonly()
    .describe('Rules that could not be decided and that the policy lets pass.'),
  policy: z.object({ id: z.string(), hash: z.string() }),
  decided_at: z.string().describe('RFC 3339 in UTC with milliseconds.').meta({ format: 'date-time' }),
  latency_ms: z.number().describe('How long the decision took.'),
} as const;

/** What one provider contributed to a decision. */
export const evidenceFields = {
  outcome: z.enum(OUTCOMES),
  cache: z
    .enum(CACHE_RESULTS)
    .describe(
      '`miss`: a call made for this decision; `shared`: a call that a concurrent request had begun; `none`: no call was needed.',
    ),
  cache_level: z
    .enum(CACHE_LEVELS)
    .nullable()
    .describe('The cache that had it; null unless `cache` is `hit`.'),
  latency_ms: z.number().describe('How long this decision waited for the provider.'),
  age_ms: z.int().describe('How old the evidence was; 0 where there was none to age.'),
  request_id: z.string().nullable().describe("The provider's own id of its answer."),
  suspect: z.boolean().describe("The provider's `not_found` was in doubt."),
  signals: z
    .looseObject({ found: z.boolean() })
    .nullable()
    .describe('As the policy read them; null where there were none.'),
} as const;

/** What one rule of the policy came to. */
export const ruleTraceFields = {
  rule: z.string(),
  result: z.enum(RULE_RESULTS),
  why: z.string().describe('Of rules that are unknown or inert.'),
  on_unknown: z.enum(ON_UNKNOWN).describe('What an unknown rule contributes, unless an exempt rule is true.'),
} as const;
