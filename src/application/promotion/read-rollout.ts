import type { CompiledPolicy } from '../../domain/policy/compile.ts';
import { type RolloutPart, rolloutPartSchema } from '../../domain/promotion/rollout-part.ts';
import type { PolicyInForce } from '../policy-in-force/policy-in-force.ts';

/** A promotion that is under way. */
export interface RolloutInForce extends RolloutPart {
  /** The policy beside the one in force: the new one in a share, the former one in a watch. */
  readonly id: string;
  readonly hash: string;
  /** Null where the shared store has lost it. */
  readonly text: string | null;
  /** It compiled. */
  readonly policy: CompiledPolicy;
}

/**
 * Builds what tells the promotion under way; null without one, for one that this version cannot read, and for one
 * that is beside another policy than the one in force.
 */
export function createReadRollout(
  inForce: Pick<PolicyInForce, 'policy' | 'rollout'>,
): () => RolloutInForce | null {
  let last: { readonly of: unknown; readonly read: RolloutInForce | null } = { of: null, read: null };
  return () => {
    const prepared = inForce.rollout();
    if (prepared === null) return null;
    if (last.of !== prepared) {
      const { id, hash, text, part } = prepared.rollout;
      const read = rolloutPartSchema.safeParse(part);
      const found = read.success ? { ...read.data, id, hash, text, policy: prepared.policy } : null;
      last = { of: prepared, read: found };
    }
    return last.read?.beside === inForce.policy().hash ? last.read : null;
  };
}
