import type { PolicyInForce } from '../policy-in-force/policy-in-force.ts';
import { type RolloutInForce, readRollout } from './read-rollout.ts';

/**
 * How this process stands to the promotion that replicas agree on. `none`: there is none. `share`, `watch`: it takes
 * part. `unusable`: the policy beside the one in force, or what was said of it, cannot be used by this version: here
 * nothing answers a share, nothing is watched and nothing is taken back. `no_effect`: what it was meant for is not in
 * force here.
 */
export const PROMOTION_STATES = ['none', 'share', 'watch', 'unusable', 'no_effect'] as const;

/** One of them. */
export type PromotionState = (typeof PROMOTION_STATES)[number];

/** Builds what tells it. */
export function createPromotionState(
  inForce: Pick<PolicyInForce, 'rollout' | 'isRolloutRefused'>,
  rollout: () => RolloutInForce | null,
): () => PromotionState {
  return () => {
    const underWay = rollout();
    if (underWay !== null) return underWay.stage;
    if (inForce.isRolloutRefused()) return 'unusable';
    const prepared = inForce.rollout();
    if (prepared === null) return 'none';
    return readRollout(prepared.rollout) === null ? 'unusable' : 'no_effect';
  };
}
