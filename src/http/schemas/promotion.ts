import { z } from 'zod';
import { PROMOTION_STATES } from '../../application/promotion/promotion-state.ts';
import type { PromotionView } from '../../application/promotion/promotions.ts';
import type { KeptRollout } from '../../application/promotion/read-rollout.ts';
import type { WatchLook } from '../../application/promotion/watch-promotion.ts';
import { promotionCheckSchema } from '../../domain/decision-log/event-record.ts';
import { isPassed } from '../../domain/promotion/check-promotion.ts';
import { toRfc3339 } from '../../platform/rfc3339.ts';
import { toJsonSchema } from './json-schema.ts';

const HASH = /^sha256:[0-9a-f]{64}$/;
const policy = z.object({ id: z.string(), hash: z.string() });
const time = z.string().meta({ format: 'date-time' });

/** How a replica stands to the promotion that replicas agree on. */
export const promotionStateSchema = z.enum(PROMOTION_STATES);
/** What they mean. */
export const PROMOTION_STATE_MEANS =
  'How this replica stands to the promotion that replicas agree on. `none`: there is none. `share`, `watch`: it takes part. `unusable`: this version cannot use the policy beside the one in force, and takes no part. `no_effect`: what the promotion is beside is not in force here.';

/** The query of GET /v1/policies/{id}/promotion. */
export const promotionQuerySchema = z.strictObject({
  hash: z.string().regex(HASH).optional().describe('Only the candidate with this hash.'),
});

/** The body of POST /v1/policies/{id}/promote. */
export const promoteSchema = z.strictObject({
  hash: z
    .string()
    .regex(HASH)
    .describe('That of the candidate that is meant, as checks or `GET /v1/policies` show it.'),
  share: z
    .number()
    .gt(0)
    .max(1)
    .optional()
    .describe('Of accounts, that it answers; whoever has no account stays. 1, or none, puts it in force.'),
});

/** A promotion that is under way. */
const underWaySchema = z.object({
  stage: z
    .enum(['share', 'watch'])
    .describe('`share`: it answers a share of accounts. `watch`: it is in force, and watched.'),
  other: policy.describe('The policy beside the one in force: the new one in a share, else the former one.'),
  share: z.number().describe('Of accounts, that the new policy answers.'),
  began_at: time,
  watched_until: time.nullable().describe('Null until it is in force.'),
  by: z.string().describe('The id of the API key.'),
});

/** The same with what was found last. */
export const watchedSchema = underWaySchema.extend({
  latest: z
    .object({
      at: time,
      checks: z.array(promotionCheckSchema).nullable().describe('Null where decisions could not be counted.'),
      not_judged: z
        .int()
        .nullable()
        .describe('Decisions that the other policy did not judge, and that show nothing.'),
    })
    .nullable()
    .describe('What this replica found when it last looked; null before.'),
});

/** What a candidate has shown. */
export const promotionSchema = z.object({
  candidate: policy,
  in_force: policy.describe('By whose limits it is checked.'),
  passed: z.boolean(),
  checks: z.array(promotionCheckSchema).readonly(),
  under_way: underWaySchema.nullable(),
});

/** The answer of DELETE /v1/policies/{id}/promotion. */
export const takenBackSchema = z.object({ taken_back: underWaySchema });

/** The path parameters. */
export const PROMOTION_PARAMS = toJsonSchema(
  z.object({
    id: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,63}$/)
      .describe('The id of the candidate, `policy:` in its text.'),
  }),
  'input',
);

/** What a candidate has shown, as callers read it. */
export function toPromotionBody(view: PromotionView): z.output<typeof promotionSchema> {
  const { candidate, inForce, checks, rollout } = view;
  return {
    candidate: { id: candidate.id, hash: candidate.hash },
    in_force: { id: inForce.id, hash: inForce.hash },
    passed: isPassed(checks),
    checks,
    under_way: rollout === null ? null : toUnderWay(rollout),
  };
}

/** A promotion under way, as callers read it. */
export function toUnderWay(rollout: KeptRollout): z.output<typeof underWaySchema> {
  const { stage, id, hash, share, beganAtMs, untilMs, by } = rollout;
  return {
    stage,
    other: { id, hash },
    share,
    began_at: toRfc3339(beganAtMs),
    watched_until: untilMs === null ? null : toRfc3339(untilMs),
    by,
  };
}

/** The same with what was found last. */
export function toWatched(rollout: KeptRollout, latest: WatchLook | null): z.output<typeof watchedSchema> {
  const look = latest && {
    at: toRfc3339(latest.atMs),
    checks: latest.checks && [...latest.checks],
    not_judged: latest.notJudged,
  };
  return { ...toUnderWay(rollout), latest: look };
}
