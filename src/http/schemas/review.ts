import { z } from 'zod';
import {
  LEASE_MS,
  QUEUES_MAX,
  REVIEW_PLACES,
  type ReviewClaim,
  type SavedQueue,
} from '../../application/review/review-store.ts';
import { toRfc3339 } from '../../platform/rfc3339.ts';
import { decisionFilterShape } from './decision-filter.ts';
import { NO_CONTROL_CHARACTER } from './outcomes.ts';
import { DECISION_ID } from './responses.ts';

const {
  device_id: _device,
  telemetry_id: _telemetry,
  account_id: _account,
  ip: _ip,
  subject: _subject,
  ...withoutIdentifiers
} = decisionFilterShape;

const filtersSchema = z
  .strictObject(withoutIdentifiers)
  .describe('Filters of GET /v1/decisions. Subjects by their keyed hashes alone: the queue is kept.');

const nameSchema = z
  .string()
  .min(1)
  .max(60)
  .regex(new RegExp(NO_CONTROL_CHARACTER))
  .describe('For people. No identifiers: what looks like one is refused.');

/** The body of PUT /v1/review/queues. */
export const putQueueSchema = z.strictObject({ name: nameSchema, filters: filtersSchema });

/** The query of DELETE /v1/review/queues. */
export const removeQueueSchema = z.strictObject({ name: nameSchema });

const queueSchema = z.object({
  name: z.string(),
  filters: z.record(z.string(), z.string()),
  saved_by: z.string().describe('The id of the API key, or the name of the person.'),
  saved_at: z.string().meta({ format: 'date-time' }),
});

/** The answer of GET /v1/review/queues. */
export const queuesSchema = z.object({
  queues: z.array(queueSchema).describe(`By their names, ${QUEUES_MAX} at most.`),
  kept_in: z
    .enum(REVIEW_PLACES)
    .describe(
      'Where they are: `redis`, for all replicas; `file`, for this one; `process`, for this one until it ends.',
    ),
});

/** The answer of PUT. */
export const putQueueAnswerSchema = z.object({ queue: queueSchema });

/** The answer of DELETE. */
export const removedQueueSchema = z.object({ removed: z.string() });

/** The body of POST /v1/review/claims. */
export const claimSchema = z.strictObject({
  decision_ids: z.array(z.string().regex(DECISION_ID)).min(1).max(50),
});

/** Who reviews what. */
export const claimsSchema = z.object({
  claims: z.array(
    z.object({
      decision_id: z.string(),
      name: z.string().describe('The id of the API key, or the name of the person.'),
      is_mine: z.boolean().describe('It is taken by whoever asks.'),
      until: z
        .string()
        .describe(`Then it is free again, ${LEASE_MS / 60_000} minutes after it was last taken.`)
        .meta({ format: 'date-time' }),
    }),
  ),
});

/** The answer of DELETE /v1/review/claims/{decision_id}. */
export const releasedSchema = z.object({ decision_id: z.string() });

/** The filters that were given. */
export function toFilters(filters: z.output<typeof filtersSchema>): SavedQueue['filters'] {
  const given = Object.entries(filters).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  );
  // Each pair is one of those above.
  return Object.fromEntries(given) as SavedQueue['filters'];
}

/** A queue as callers read it. */
export function toQueueBody({ name, filters, savedBy, savedAtMs }: SavedQueue): z.output<typeof queueSchema> {
  return { name, filters, saved_by: savedBy, saved_at: toRfc3339(savedAtMs) };
}

/** Claims as `holder` reads them. */
export function toClaimsBody(claims: readonly ReviewClaim[], holder: string): z.output<typeof claimsSchema> {
  return {
    claims: claims.map((claim) => ({
      decision_id: claim.decisionId,
      name: claim.name,
      is_mine: claim.holder === holder,
      until: toRfc3339(claim.untilMs),
    })),
  };
}
