import type { CompiledPolicy } from '../../domain/policy/compile.ts';

/** The policies of which this process has seen decisions or readers. */
export interface KnownPolicies {
  /** The policy in force. */
  current(): CompiledPolicy;
  /** By its hash; null for one that has not been in force here lately. */
  find(hash: string): CompiledPolicy | null;
}

/** Policies that are remembered: whoever changes one wants to compare, and a compiled policy costs some 100 KB. */
const POLICIES_MAX = 16;

/** Remembers what `inForce` says. Ask it through `current`, so that it learns of a change before the first decision by it. */
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
