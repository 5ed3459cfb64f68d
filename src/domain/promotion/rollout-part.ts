import { z } from 'zod';
import { promotionSchema } from './promotion-limits.ts';

/** What a promotion keeps beside the policy in force. */
export const rolloutPartSchema = z.object({
  /** `share`: the policy of the rollout answers a share of accounts. `watch`: it was in force before, and watches. */
  stage: z.enum(['share', 'watch']),
  /** The hash of the policy in force that it is beside. Beside another one it is of no effect. */
  beside: z.string(),
  /** Of accounts that the new policy answers: 1 while it is in force. */
  share: z.number().min(0).max(1),
  /** The limits of the policy that was in force when it began. */
  limits: promotionSchema,
  /** The id of the API key. */
  by: z.string(),
  /** Unix milliseconds: when the new policy began to answer what it answers. */
  beganAtMs: z.number(),
  /** Until when it is watched; null until it is in force. */
  untilMs: z.number().nullable(),
});

/** One such part. */
export type RolloutPart = z.output<typeof rolloutPartSchema>;
