import { type Candidates, createCandidates } from '../application/candidates/candidates.ts';
import { createCandidateFetch } from '../application/candidates/fetch-facts.ts';
import type { KnownPolicies } from '../application/decision-log/known-policies.ts';
import type { ProviderSlot } from '../application/evidence/gather-evidence.ts';
import type { FactSource } from '../application/facts/fact-source.ts';
import type { ReferenceData } from '../domain/contradictions/reference-data.ts';
import type { CompiledPolicy } from '../domain/policy/compile.ts';
import type { Subject } from '../domain/subject.ts';
import type { AppContext } from './context.ts';
import type { Observers } from './observers.ts';

interface CandidateParts {
  readonly candidates: () => readonly CompiledPolicy[];
  readonly policies: KnownPolicies;
  /** The policy that decides of a subject. */
  readonly policyFor: (subject: Subject) => CompiledPolicy;
  readonly slots: readonly ProviderSlot[];
  readonly reference: ReferenceData;
  readonly custody: FactSource;
  /** What tells the other facts to the live policy, in its order. */
  readonly facts: readonly FactSource[];
  readonly observer: Observers['observer'];
}

/** Wires what judges beside the live policy. */
export function wireCandidates(
  { config, clock, logger }: AppContext,
  { candidates, policies, policyFor, slots, reference, custody, facts, observer }: CandidateParts,
): Candidates {
  const fetch = createCandidateFetch({
    slots,
    custody,
    sources: facts,
    live: policyFor,
    clock,
    deadlineMs: config.decisionDeadlineMs,
  });
  const failed = new Set<string | null>();
  return createCandidates({
    candidates,
    policies,
    slots,
    placeOfAddress: reference.placeOfAddress,
    fetch,
    clock,
    observer,
    onFailed: (candidate, error) => {
      const hash = candidate?.hash ?? null;
      if (failed.has(hash)) return;
      failed.add(hash);
      // Its text may quote evidence.
      const code = error instanceof Error ? error.name : typeof error;
      logger.error(
        { event: 'candidate.failed', policy: candidate?.id, hash, code },
        'a candidate cannot be run',
      );
    },
  });
}
