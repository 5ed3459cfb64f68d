import type { CompiledPolicy } from '../../domain/policy/compile.ts';

/** The policies that this process has used recently. */
export interface KnownPolicies {
  /** The policy in force. */
  current(): CompiledPolicy;
  /** By its hash; null for a policy that was not in force here recently. */
  find(hash: string): CompiledPolicy | null;
}

/**
 * Policies that are kept, so that decisions before a change can be explained. A compiled policy takes about
 * 100 KB.
 */
const POLICIES_MAX = 16;

/**
 * Remembers the policies that `inForce` returns. Read the policy through `current`, so that each one is
 * remembered before its first decision.
 */
export function rememberPolicies(inForce: () => CompiledPolicy): KnownPolicies {
  const known = new Map<string, CompiledPolicy>();
  let latest: CompiledPolicy | null = null;
  const current = (): CompiledPolicy => {
    const policy = inForce();
    if (policy === latest) return policy;
    latest = policy;
    known.delete(policy.hash);
    known.set(policy.hash, policy);
    if (known.size > POLICIES_MAX)
      for (const hash of [...known.keys()].slice(0, -POLICIES_MAX)) known.delete(hash);
    return policy;
  };
  return {
    current,
    find: (hash) => {
      current();
      return known.get(hash) ?? null;
    },
  };
}
