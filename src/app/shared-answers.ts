import type { KnownPolicies } from '../application/decision-log/known-policies.ts';
import { createPolicyFor, type SharedPolicy } from '../application/promotion/policy-for.ts';
import type { RolloutInForce } from '../application/promotion/read-rollout.ts';
import type { CompiledPolicy } from '../domain/policy/compile.ts';
import type { Subject } from '../domain/subject.ts';
import { createKeyedHash } from '../platform/keyed-hash.ts';
import type { AppContext } from './context.ts';

interface SharedAnswersParts {
  readonly rollout: () => RolloutInForce | null;
  readonly policies: KnownPolicies;
  /** Those of files and those that were registered; the same array for as long as they are the same. */
  readonly candidates: () => readonly CompiledPolicy[];
}

/** Which policies answer and judge beside, while a promotion is under way. */
interface SharedAnswers {
  policyFor(subject: Subject): CompiledPolicy;
  /** What judges beside whichever policy answers: candidates, and each of the two policies of a promotion. */
  candidates(): readonly CompiledPolicy[];
}

/** Wires a share of accounts, and the watch of one policy by another. */
export function wireSharedAnswers(
  { config }: Pick<AppContext, 'config'>,
  { rollout, policies, candidates }: SharedAnswersParts,
): SharedAnswers {
  let shared: { readonly of: RolloutInForce; readonly policy: SharedPolicy } | null = null;
  const toShared = (of: RolloutInForce): SharedPolicy => {
    // Known before its first decision.
    policies.know(of.policy);
    const [key = ''] = config.idHashKeys;
    const hashOf = createKeyedHash(key, `share of accounts of ${of.hash}`);
    return { policy: of.policy, share: of.share, hashOf };
  };
  const sharedNow = (): SharedPolicy | null => {
    const now = rollout();
    if (now?.stage !== 'share') return null;
    if (shared?.of !== now) shared = { of: now, policy: toShared(now) };
    return shared.policy;
  };
  return {
    policyFor: createPolicyFor({ inForce: policies.current, shared: sharedNow }),
    candidates: withRollout({ rollout, policies, candidates }),
  };
}

/** The former policy asks for what it reads: otherwise it could not say what it would have made of a decision. */
function withRollout({ rollout, policies, candidates }: SharedAnswersParts): SharedAnswers['candidates'] {
  let last: { readonly of: readonly unknown[]; readonly all: readonly CompiledPolicy[] } | null = null;
  return () => {
    const now = rollout();
    const others = candidates();
    if (now === null) return others;
    const live = policies.current();
    const of = [now, others, live];
    if (last === null || of.some((one, place) => one !== last?.of[place])) {
      const pair = now.stage === 'share' ? [now.policy, toFetching(live)] : [toFetching(now.policy)];
      last = { of, all: [...pair, ...others] };
    }
    return last.all;
  };
}

function toFetching(policy: CompiledPolicy): CompiledPolicy {
  return { ...policy, document: { ...policy.document, candidate: { fetch: true } } };
}
