import { z } from 'zod';
import { CANDIDATE_PLACES } from '../../application/candidates/candidate-store.ts';
import type { CandidateView } from '../../application/candidates/change-candidates.ts';
import { PROMOTION_CHECKS, type PromotionCheck } from '../../domain/promotion/check-promotion.ts';
import { toRfc3339 } from '../../platform/rfc3339.ts';
import { toJsonSchema } from './json-schema.ts';
import { inForceSchema } from './policy-history.ts';
import { PROMOTION_STATE_MEANS, promotionStateSchema, watchedSchema } from './promotion.ts';

/** A policy file is 1 MiB at most, its cases are so too, and a text can be twice as long in JSON. */
export const CANDIDATE_BODY_BYTES_MAX = 4 * 1024 * 1024;
const TESTS_LENGTH_MAX = 1024 * 1024;

/** The body of PUT /v1/policies/{id}/candidate. */
export const putCandidateSchema = z.strictObject({
  policy: z.string().min(1).describe('The text of the policy, YAML as in a file. Its `policy:` is the id.'),
  tests: z
    .string()
    .min(1)
    .max(TESTS_LENGTH_MAX)
    .optional()
    .describe('The text of its cases, as in a file `*.test.yaml`. They must pass before it is promoted.'),
});

const candidateSchema = z.object({
  id: z.string(),
  hash: z.string(),
  from: z.enum(['file', 'api']),
  has_tests: z.boolean().nullable().describe('Cases came with it; null for a file.'),
  fetches: z.boolean().describe('What it reads and the policy in force does not is asked for.'),
  not_asked_for: z
    .array(z.string())
    .describe(
      'What it reads and the policy in force does not ask for. Where it does not fetch, it does not judge for that.',
    ),
  added_by: z.string().nullable().describe('The id of the API key; null for a file.'),
  added_at: z.string().nullable().meta({ format: 'date-time' }),
});

/** The answer of PUT /v1/policies/{id}/candidate. */
export const putCandidateAnswerSchema = z.object({
  candidate: candidateSchema,
  warnings: z
    .array(z.object({ check: z.enum(PROMOTION_CHECKS), detail: z.string() }))
    .describe(
      'Checks of a promotion that fail already, whatever it judges: cases that fail, or are missing where the policy in force asks for some. It is a candidate all the same.',
    ),
});

/** The answer of DELETE. */
export const removedCandidateSchema = z.object({ removed: z.object({ id: z.string(), hash: z.string() }) });

/** The answer of GET /v1/policies. */
export const policiesSchema = z.object({
  in_force: inForceSchema,
  candidates: z.array(candidateSchema),
  promotion: watchedSchema.nullable().describe('The one that is under way; null without one.'),
  promotion_state: promotionStateSchema.describe(PROMOTION_STATE_MEANS),
  kept_in: z
    .enum(CANDIDATE_PLACES)
    .describe(
      'Where registered candidates are: `redis`, for all replicas; `process`, for this one until it ends.',
    ),
});

/** The path parameters. */
export const POLICY_PARAMS = toJsonSchema(
  z.object({
    id: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,63}$/)
      .describe('The id of the policy, `policy:` in its text.'),
  }),
  'input',
);

/** Warnings as callers read them. */
export function toWarnings(
  warnings: readonly PromotionCheck[],
): z.output<typeof putCandidateAnswerSchema>['warnings'] {
  return warnings.map(({ id, detail }) => ({ check: id, detail }));
}

/** A candidate as callers read it. */
export function toCandidateBody({
  policy,
  stored,
  unfetched,
}: CandidateView): z.output<typeof candidateSchema> {
  return {
    id: policy.id,
    hash: policy.hash,
    from: stored === null ? 'file' : 'api',
    has_tests: stored === null ? null : stored.tests !== null,
    fetches: policy.document.candidate.fetch,
    not_asked_for: [...unfetched],
    added_by: stored?.addedBy ?? null,
    added_at: stored === null ? null : toRfc3339(stored.addedAtMs),
  };
}
