import { findUnfetched } from '../../domain/candidates/find-unfetched.ts';
import { RiskgateError } from '../../domain/errors.ts';
import type { CompiledPolicy } from '../../domain/policy/compile.ts';
import { type CasesRun, checkCases, type PromotionCheck } from '../../domain/promotion/check-promotion.ts';
import { toPromotionLimits } from '../../domain/promotion/promotion-limits.ts';
import type { Result } from '../../domain/result.ts';
import type { Clock } from '../clock.ts';
import type { RecordEvent } from '../decision-log/record-event.ts';
import { CANDIDATES_MAX, type CandidateStore, type StoredCandidate } from './candidate-store.ts';

/** Who changes candidates. */
interface Changer {
  /** The id of the API key. */
  readonly caller: string;
  readonly requestId: string | null;
}

interface ChangeCandidatesOptions {
  readonly store: CandidateStore;
  readonly inForce: () => CompiledPolicy;
  /** Checks and compiles a text, or gives every mistake in it as `line:column: message`. */
  readonly compile: (text: string) => Promise<Result<CompiledPolicy, string>>;
  /** Runs the cases of a text. */
  readonly runCases: (text: string, tests: string | null) => Promise<CasesRun>;
  readonly clock: Clock;
  /** Null records nothing. */
  readonly record: RecordEvent | null;
}

/** A policy that is to be a candidate. */
interface GivenCandidate {
  readonly text: string;
  /** The text of its cases, which have to pass before it is promoted; null for none. */
  readonly tests: string | null;
}

/** A candidate that was registered. */
interface PutCandidate {
  readonly policy: CompiledPolicy;
  /** What of it would refuse a promotion, whatever it judges; it is a candidate all the same. */
  readonly warnings: readonly PromotionCheck[];
}

/** Registers candidates, and removes them. Both reject with `store_unavailable`. */
export interface ChangeCandidates {
  /**
   * Registers a text as the candidate with this id, in place of what has it. Rejects with `invalid_request` for
   * a text that is no policy, or the policy of another id, and with `conflict` for the policy in force, and where
   * there are too many.
   */
  put(id: string, given: GivenCandidate, changer: Changer): Promise<PutCandidate>;
  /** What was removed; null where there is no such candidate. */
  remove(id: string, changer: Changer): Promise<StoredCandidate | null>;
}

/** Builds the use case. Each change is an event in the decision log. */
export function createChangeCandidates({
  store,
  inForce,
  compile,
  runCases,
  clock,
  record,
}: ChangeCandidatesOptions): ChangeCandidates {
  return {
    put: async (id, { text, tests }, { caller, requestId }) => {
      const compiled = await compile(text);
      if (!compiled.ok) throw refused(compiled.mistakes);
      const policy = compiled.value;
      if (policy.id !== id) throw refused([`its id is "${policy.id}", not "${id}"`]);
      const { hash } = policy;
      if (hash === inForce().hash)
        throw new RiskgateError('conflict', 'A candidate that is in force.', {
          publicDetail: 'This policy is in force: there is nothing to compare it with.',
        });
      const before = store.candidates().find((one) => one.id === id);
      const stored = { id, hash, text, tests, addedBy: caller, addedAtMs: clock.nowMs() };
      const put = await store.put(stored);
      if (put === 'unknown') throw unavailable();
      if (put === 'full')
        throw new RiskgateError('conflict', 'There are too many candidates.', {
          publicDetail: `There are ${CANDIDATES_MAX} candidates. Remove one first.`,
        });
      const running = runCases(text, tests);
      const replaced = before?.hash ?? null;
      await record?.({
        event: 'candidate_changed',
        caller,
        request_id: requestId,
        change: 'put',
        policy: { id, hash },
        replaced,
      });
      const check = checkCases(toPromotionLimits(inForce().document.promotion), await running);
      return { policy, warnings: check.passed ? [] : [check] };
    },
    remove: async (id, { caller, requestId }) => {
      const removed = await store.remove(id);
      if (removed === 'unknown') throw unavailable();
      if (removed === null) return null;
      await record?.({
        event: 'candidate_changed',
        caller,
        request_id: requestId,
        change: 'removed',
        policy: { id, hash: removed.hash },
        replaced: null,
      });
      return removed;
    },
  };
}

function refused(mistakes: readonly string[]): RiskgateError {
  return new RiskgateError('invalid_request', 'A text that is no candidate.', {
    fields: mistakes.map((detail) => ({ pointer: '/policy', detail })),
  });
}

function unavailable(): RiskgateError {
  return new RiskgateError('store_unavailable', 'A candidate could not be kept.', {
    publicDetail: 'It is not known whether the change was made. Repeat the request.',
    retryAfterSeconds: 1,
  });
}

/** A candidate as people see it. */
export interface CandidateView {
  readonly policy: CompiledPolicy;
  /** Null for one of a file. */
  readonly stored: StoredCandidate | null;
  /** What it reads and decisions of the policy in force do not ask for; see findUnfetched. */
  readonly unfetched: readonly string[];
}

/** All candidates beside a policy, those of files first; one with its text is none. */
export function viewCandidates(
  inForce: CompiledPolicy,
  candidates: readonly CompiledPolicy[],
  stored: readonly StoredCandidate[],
): readonly CandidateView[] {
  const seen = new Set([inForce.hash]);
  return candidates.flatMap((policy) => {
    if (seen.has(policy.hash)) return [];
    seen.add(policy.hash);
    return [viewCandidate(inForce, policy, stored)];
  });
}

/** One of them. */
export function viewCandidate(
  inForce: CompiledPolicy,
  policy: CompiledPolicy,
  stored: readonly StoredCandidate[],
): CandidateView {
  const own = stored.find(({ hash }) => hash === policy.hash) ?? null;
  return { policy, stored: own, unfetched: findUnfetched(inForce, policy) };
}
