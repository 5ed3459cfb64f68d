import type { CompiledPolicy } from '../../domain/policy/compile.ts';
import type { PolicyDocument } from '../../domain/policy/document.ts';
import type { PolicyKeeper } from './policy-keeper.ts';
import type { PolicyTexts } from './policy-texts.ts';

/** A policy that was in force at some time. */
export interface KnownPolicy {
  readonly document: PolicyDocument;
  /** Null where this version refuses the policy: it can be read, and nothing can be judged by it. */
  readonly compiled: CompiledPolicy | null;
}

/** The policy in force, those of before, and those that judge beside it. */
export interface KnownPolicies {
  current(): CompiledPolicy;
  /** By its hash; null for a policy that is not known here. Rejects with `store_unavailable`. */
  find(hash: string): KnownPolicy | null | Promise<KnownPolicy | null>;
  /** Remembers a policy that records name and that is not in force, and sees to it that its text is kept. */
  know(policy: CompiledPolicy): void;
}

interface KnownPoliciesOptions {
  readonly inForce: () => CompiledPolicy;
  /** What keeps texts for longer than this process; null without a log. */
  readonly kept: (Pick<PolicyTexts, 'find'> & Pick<PolicyKeeper, 'keep'>) | null;
  /** Compiles a text; null for one that is no policy, or not the one of this hash. */
  readonly load: (text: string, hash: string) => Promise<KnownPolicy | null>;
}

/**
 * Policies that stay compiled, so that decisions before a change can be explained at once. A compiled policy
 * takes about 100 KB.
 */
const POLICIES_MAX = 16;

/**
 * Remembers the policies that `inForce` returns, and sees to it that their texts are kept. Read the policy
 * through `current`, so that each one is known before its first decision.
 */
export function rememberPolicies({ inForce, kept, load }: KnownPoliciesOptions): KnownPolicies {
  const known = new Map<string, KnownPolicy>();
  const reading = new Map<string, Promise<KnownPolicy | null>>();
  let latest: CompiledPolicy | null = null;
  const remember = (hash: string, policy: KnownPolicy): void => {
    known.delete(hash);
    known.set(hash, policy);
    if (known.size > POLICIES_MAX)
      for (const oldest of [...known.keys()].slice(0, -POLICIES_MAX)) known.delete(oldest);
  };
  const current = (): CompiledPolicy => {
    const policy = inForce();
    if (policy === latest) return policy;
    latest = policy;
    know(policy);
    return policy;
  };
  const know = (policy: CompiledPolicy): void => {
    remember(policy.hash, { document: policy.document, compiled: policy });
    if (policy.text !== null) kept?.keep(policy.hash, policy.text);
  };
  const read = async (hash: string): Promise<KnownPolicy | null> => {
    try {
      const text = (await kept?.find(hash)) ?? null;
      const policy = text === null ? null : await load(text, hash);
      if (policy !== null) remember(hash, policy);
      return policy;
    } finally {
      reading.delete(hash);
    }
  };
  /** Asked for by several at once, a text is read and compiled once. */
  const recall = (hash: string): Promise<KnownPolicy | null> => {
    const policy = reading.get(hash) ?? read(hash);
    reading.set(hash, policy);
    return policy;
  };
  return {
    current,
    know,
    find: (hash) => {
      current();
      return known.get(hash) ?? recall(hash);
    },
  };
}
