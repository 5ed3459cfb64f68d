import type { CompiledPolicy } from '../../domain/policy/compile.ts';
import { isInShare } from '../../domain/promotion/is-in-share.ts';
import { hasText, type Subject } from '../../domain/subject.ts';

/** A policy that answers a share of accounts. */
export interface SharedPolicy {
  readonly policy: CompiledPolicy;
  /** Of 0 to 1. */
  readonly share: number;
  /** The keyed hash of an account, in hexadecimal. */
  readonly hashOf: (account: string) => string;
}

interface PolicyForOptions {
  readonly inForce: () => CompiledPolicy;
  /** Null while nothing answers a share. */
  readonly shared: () => SharedPolicy | null;
}

/**
 * Builds what says which policy decides of a subject. An account has the same one for as long as the share does not
 * shrink; who has no account has the policy in force.
 */
export function createPolicyFor({ inForce, shared }: PolicyForOptions) {
  return ({ accountId }: Pick<Subject, 'accountId'>): CompiledPolicy => {
    const other = shared();
    if (other === null || !hasText(accountId)) return inForce();
    return isInShare(other.hashOf(accountId), other.share) ? other.policy : inForce();
  };
}
