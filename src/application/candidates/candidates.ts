import type { CandidateResult } from '../../domain/candidates/candidate-result.ts';
import { toNotJudged } from '../../domain/candidates/judge-candidate.ts';
import type { ReferenceData } from '../../domain/contradictions/reference-data.ts';
import type { Decision } from '../../domain/decision.ts';
import type { CompiledPolicy } from '../../domain/policy/compile.ts';
import { type RequestSignals, toRequestSignals } from '../../domain/policy/request-signals.ts';
import { hasText, type Subject } from '../../domain/subject.ts';
import type { Clock } from '../clock.ts';
import type { Decide } from '../decide.ts';
import type { KnownPolicies } from '../decision-log/known-policies.ts';
import { enabledDeviceProviders, type ProviderSlot } from '../evidence/gather-evidence.ts';
import type { OperationObserver } from '../operation-observer.ts';
import { type AfterAnswers, createAfterAnswers } from './after-answers.ts';
import type { CandidateFetch, FetchedFacts } from './fetch-facts.ts';
import { createPlans, type PlannedCandidate } from './plan-candidates.ts';
import { createSharedLists } from './shared-lists.ts';

/** What of a record takes the results of candidates. Undefined stands for no candidate. */
export interface CandidateJudge {
  /** What each candidate comes to, as far as it can be told at once. Never throws. */
  judgeNow(decision: Decision, subject: Subject): readonly CandidateResult[] | undefined;
  /**
   * Tells what each candidate comes to after the answer has left; at once where there is no candidate, or where
   * too many decisions wait already, which are then not judged. It tells exactly once, and never throws.
   */
  judgeLater(
    decision: Decision,
    subject: Subject,
    tell: (results: readonly CandidateResult[] | undefined) => void,
  ): void;
}

/** Policies that judge beside the live one, and never answer. */
export interface Candidates extends CandidateJudge, Pick<AfterAnswers, 'flush' | 'drain'> {
  /** Adds the asking for what candidates fetch. It changes no decision, and no decision waits for it. */
  decideWith(decide: Decide): Decide;
}

interface CandidatesOptions {
  /** The same array for as long as they are the same. */
  readonly candidates: () => readonly CompiledPolicy[];
  readonly policies: KnownPolicies;
  /** Every provider of the registry, in registry order. */
  readonly slots: readonly ProviderSlot[];
  readonly placeOfAddress: ReferenceData['placeOfAddress'];
  readonly fetch: CandidateFetch;
  readonly clock: Clock;
  readonly observer: Pick<OperationObserver, 'onCandidateResult'>;
  /** Told of a defect, and of the candidate that has it; null where it is none of a candidate's. */
  readonly onFailed: (candidate: CompiledPolicy | null, error: unknown) => void;
}

/** Decisions that may wait for their candidates: what a busy service makes in a fraction of a second. */
const WAITING_MAX = 1_024;

/** Builds what judges by candidates. */
export function createCandidates(options: CandidatesOptions): Candidates {
  const { fetch, clock, observer, onFailed } = options;
  const plansFor = createPlans(options);
  const onError = (error: unknown) => onFailed(null, error);
  const afterAnswers = createAfterAnswers({ waitingMax: WAITING_MAX, clock, onError });
  const shared = createSharedLists<CandidateResult>();
  const toRequest = createToRequest(options);
  const note = (list: readonly CandidateResult[]) => {
    for (const { not_judged } of list) observer.onCandidateResult({ result: not_judged?.why ?? 'judged' });
    return shared(list);
  };
  const judgeAll = (
    planned: readonly PlannedCandidate[],
    decision: Decision,
    subject: Subject,
    fetched: FetchedFacts | null,
  ) => {
    const request = toRequest(planned, subject);
    return note(planned.map((one) => judgeOne(one, { decision, subject, request, fetched }, options)));
  };
  return {
    decideWith: (decide) => fetch.decideWith(decide, plansFor),
    judgeNow: (decision, subject) => {
      const planned = plansFor(decision.policy.hash);
      if (planned.length === 0) return undefined;
      return judgeAll(planned, decision, subject, fetch.conclude(decision, subject));
    },
    judgeLater: (decision, subject, tell) => {
      const planned = plansFor(decision.policy.hash);
      if (planned.length === 0) {
        tell(undefined);
        return;
      }
      // Before the decision is counted itself.
      const fetched = fetch.conclude(decision, subject);
      const isTaken = afterAnswers.add(() => {
        const judge = () => tell(judgeAll(planned, decision, subject, fetched));
        if (fetched === null || fetched.pending === null) judge();
        else return fetched.pending.then(judge);
        return undefined;
      });
      if (!isTaken) tell(note(planned.map(({ policy }) => toNotJudged(policy, 'overload'))));
    },
    flush: () => afterAnswers.flush(),
    drain: () => afterAnswers.drain(),
  };
}

interface Judged {
  readonly decision: Decision;
  readonly subject: Subject;
  readonly request: RequestSignals;
  readonly fetched: FetchedFacts | null;
}

function judgeOne(
  planned: PlannedCandidate,
  { decision, subject, request, fetched }: Judged,
  { onFailed }: Pick<CandidatesOptions, 'onFailed'>,
): CandidateResult {
  const { policy, judge, unfetched, notFetched } = planned;
  try {
    if (unfetched.length === 0) return judge({ decision, subject, request, fetched: null });
    const more = fetched?.of(planned);
    if (more === undefined) return notFetched;
    if (more === 'late') return toNotJudged(policy, 'late');
    return judge({ decision, subject, request, fetched: more });
  } catch (error) {
    onFailed(policy, error);
    return toNotJudged(policy, 'failed');
  }
}

/** The request as candidates read it: they may read where an address is where the live policy does not. */
function createToRequest({ slots, placeOfAddress }: CandidatesOptions) {
  const enabledDevices = enabledDeviceProviders(slots);
  return (planned: readonly PlannedCandidate[], subject: Subject): RequestSignals => {
    const { ip } = subject;
    const readsPlace = hasText(ip) && planned.some((one) => one.readsPlace);
    return toRequestSignals(subject, enabledDevices, readsPlace ? placeOfAddress(ip) : null);
  };
}
