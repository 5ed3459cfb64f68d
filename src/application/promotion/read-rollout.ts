import type { CompiledPolicy } from '../../domain/policy/compile.ts';
import { type RolloutPart, rolloutPartSchema } from '../../domain/promotion/rollout-part.ts';
import type { PolicyInForce } from '../policy-in-force/policy-in-force.ts';
import type { Rollout } from '../policy-in-force/policy-store.ts';

/** A promotion that replicas agree on. */
export interface KeptRollout extends RolloutPart {
  /** The policy beside the one in force: the new one in a share, the former one in a watch. */
  readonly id: string;
  readonly hash: string;
  /** Null where it is lost. */
  readonly text: string | null;
}

/** A promotion that is under way. */
export interface RolloutInForce extends KeptRollout {
  /** It compiled. */
  readonly policy: CompiledPolicy;
}

/** Reads what stands beside a policy; null for what this version does not understand. */
export function readRollout({ id, hash, text, part }: Rollout): KeptRollout | null {
  const read = rolloutPartSchema.safeParse(part);
  return read.success ? { ...read.data, id, hash, text } : null;
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
      const kept = readRollout(prepared.rollout);
      const { policy } = prepared;
      // What the store has lost may be compiled here all the same, as the policy of a file.
      last = { of: prepared, read: kept && { ...kept, text: kept.text ?? policy.text, policy } };
    }
    return last.read?.beside === inForce.policy().hash ? last.read : null;
  };
}
