import { z } from 'zod';
import { VERDICTS } from '../../domain/verdict.ts';
import { HASH } from './policy-history.ts';

const verdict = z.enum(VERDICTS);
const counts = z.object({ ALLOW: z.number(), CHALLENGE: z.number(), BLOCK: z.number() });

/** The query of GET /v1/policies/{hash}/diff. */
export const diffQuerySchema = z.strictObject({
  with: HASH.describe('The hash of the policy to compare it with.'),
});

/** How two policies differ over all evidence that the rules of either can tell apart. */
const policyDifferenceSchema = z.object({
  table: z
    .object({ ALLOW: counts, CHALLENGE: counts, BLOCK: counts })
    .nullable()
    .describe(
      'By verdict of this policy, then of the other, how many combinations of evidence are judged so: which says nothing of how often they happen. Null where they are too large to compare.',
    ),
  classes: z
    .array(
      z.object({
        from: verdict,
        to: verdict,
        from_rule: z.string().nullable().describe('The first rule that comes to it; null for `otherwise`.'),
        to_rule: z.string().nullable(),
        combinations: z.number(),
        certain: z.boolean().describe('There is evidence that both policies were seen to judge so.'),
      }),
    )
    .nullable()
    .describe('Those that are judged differently, the largest 50.'),
  classes_total: z.int().nullable(),
  limits: z.array(z.string()).describe('What could not be told apart, and may hide or add differences.'),
});

/** The answer of GET /v1/policies/{hash}/diff. */
export const policyDiffSchema = policyDifferenceSchema.extend({
  before: z.object({ hash: z.string() }),
  after: z.object({ hash: z.string() }),
});

/** What two policies differ by. */
export type PolicyDifference = z.output<typeof policyDifferenceSchema>;
