import type { CandidateResult } from '../../domain/candidates/candidate-result.ts';
import { findUnfetched } from '../../domain/candidates/find-unfetched.ts';
import {
  createJudgeCandidate,
  type JudgeCandidate,
  toNotJudged,
} from '../../domain/candidates/judge-candidate.ts';
import { CONTRADICTIONS_FACT } from '../../domain/contradictions/contradiction-signals.ts';
import type { CompiledPolicy } from '../../domain/policy/compile.ts';
import { placeReadsOf } from '../../domain/policy/request-values-read.ts';
import type { KnownPolicies } from '../decision-log/known-policies.ts';

/** A candidate beside one live policy. */
export interface PlannedCandidate {
  readonly policy: CompiledPolicy;
  readonly live: CompiledPolicy;
  /** Judges decisions of that live policy. */
  readonly judge: JudgeCandidate;
  /** What it reads and the live policy does not ask for; see findUnfetched. */
  readonly unfetched: readonly string[];
  /** True where that is asked for, for it alone. */
  readonly isFetching: boolean;
  /** True where that includes the activity of what evidence alone names. */
  readonly isNamedByEvidence: boolean;
  /** True where it reads what a GeoIP file tells of the address. */
  readonly readsPlace: boolean;
  /** What it comes to where what it reads was not asked for. */
  readonly notFetched: CandidateResult;
}

/** The candidates beside the live policy with this hash; none where that policy is not known any more. */
export type PlansFor = (hash: string) => readonly PlannedCandidate[];

const NONE: readonly PlannedCandidate[] = [];
/** Live policies for which there are plans: two answer while one of them answers a share of accounts. */
const LIVE_MAX = 4;

/** Builds what plans; plans are kept for as long as the candidates stay the same. */
export function createPlans({
  candidates,
  policies,
  onFailed,
}: {
  /** The same array for as long as they are the same. */
  readonly candidates: () => readonly CompiledPolicy[];
  readonly policies: KnownPolicies;
  /** Told of a candidate that cannot be planned: a defect. */
  readonly onFailed: (candidate: CompiledPolicy, error: unknown) => void;
}): PlansFor {
  let of: readonly CompiledPolicy[] = [];
  const plans = new Map<string, readonly PlannedCandidate[]>();
  return (hash) => {
    const now = candidates();
    if (now.length === 0) return NONE;
    if (now !== of) plans.clear();
    of = now;
    const known = plans.get(hash);
    if (known !== undefined) return known;
    const live = findLive(policies, hash);
    if (live === null) return NONE;
    for (const candidate of of) policies.know(candidate);
    // Known last: it is the one that most is asked about.
    policies.know(live);
    const planned = planAll(live, of, onFailed);
    if (plans.size >= LIVE_MAX) plans.clear();
    plans.set(hash, planned);
    return planned;
  };
}

/** The live policy of a decision that was just made: in force, or in force a moment ago. */
function findLive(policies: KnownPolicies, hash: string): CompiledPolicy | null {
  const inForce = policies.current();
  if (inForce.hash === hash) return inForce;
  const known = policies.find(hash);
  if (!(known instanceof Promise)) return known?.compiled ?? null;
  // Whoever else waits for it is told of a failure.
  void Promise.allSettled([known]);
  return null;
}

/** The live policy itself, and a policy that stands there twice, is no candidate. */
function planAll(
  live: CompiledPolicy,
  candidates: readonly CompiledPolicy[],
  onFailed: Parameters<typeof createPlans>[0]['onFailed'],
): readonly PlannedCandidate[] {
  const seen = new Set([live.hash]);
  return candidates.flatMap((policy) => {
    if (seen.has(policy.hash)) return [];
    seen.add(policy.hash);
    try {
      return [planOne(live, policy)];
    } catch (error) {
      onFailed(policy, error);
      const failed = toNotJudged(policy, 'failed');
      return [{ ...NOT_PLANNED, policy, live, judge: () => failed, notFetched: failed }];
    }
  });
}

/** Of a candidate that cannot be run: it has to be told nothing. */
const NOT_PLANNED = { unfetched: [], isFetching: false, isNamedByEvidence: false, readsPlace: false };

function planOne(live: CompiledPolicy, policy: CompiledPolicy): PlannedCandidate {
  const unfetched = findUnfetched(live, policy);
  return {
    policy,
    live,
    judge: createJudgeCandidate(live, policy),
    unfetched,
    isFetching: unfetched.length > 0 && policy.document.candidate.fetch,
    isNamedByEvidence: unfetched.some(isLate),
    readsPlace: placeReadsOf(policy).length > 0,
    notFetched: toNotJudged(policy, 'not_fetched', unfetched),
  };
}

/** Evidence alone names these, and what contradictions compare of them. */
const LATE = ['activity.visitor.', 'activity.hardware.', `${CONTRADICTIONS_FACT.name}.`] as const;

function isLate(signal: string): boolean {
  return LATE.some((start) => signal.startsWith(start));
}
