import { type Candidates, createCandidates } from '../../../src/application/candidates/candidates.ts';
import { createCandidateFetch } from '../../../src/application/candidates/fetch-facts.ts';
import { createDecide, type Decide } from '../../../src/application/decide.ts';
import { rememberPolicies } from '../../../src/application/decision-log/known-policies.ts';
import type { FactSource } from '../../../src/application/facts/fact-source.ts';
import type { CandidateResult } from '../../../src/domain/candidates/candidate-result.ts';
import type { Decision } from '../../../src/domain/decision.ts';
import type { CompiledPolicy } from '../../../src/domain/policy/compile.ts';
import type { Subject } from '../../../src/domain/subject.ts';
import { compiled, documentOf, rule } from '../../support/policy-fixture.ts';
import { createResult, createSource } from '../sources.ts';

let serial = 0;

/** A policy of these conditions, with a hash of its own. */
export function policyOf(
  rules: readonly (readonly [when: string, verdict: string])[],
  fields: Record<string, unknown> = {},
): CompiledPolicy {
  serial += 1;
  const written = rules.map(([when, verdict], place) => rule(when, { id: `rule-${place}`, verdict }));
  return { ...compiled(documentOf(written, { lists: ['blocked'], ...fields })), hash: `sha256:${serial}` };
}

export const SUBJECT: Subject = {
  telemetryId: 'canary-telemetry',
  device: { kind: 'shared', id: 'canary-device' },
  ip: '203.0.113.7',
};

interface OpenOptions {
  readonly live?: CompiledPolicy;
  readonly candidates: readonly CompiledPolicy[];
  readonly custody?: FactSource['ask'];
  readonly activity?: FactSource['ask'];
  /** Whose decisions are judged; those of the live policy otherwise. */
  readonly decide?: Decide;
}

/** Candidates beside a live policy, over two providers that answer. */
export function openCandidates({ live, candidates, custody, activity, decide }: OpenOptions) {
  let inForce = live ?? policyOf([['!a.found', 'BLOCK']]);
  let now: readonly CompiledPolicy[] = candidates;
  let timeMs = 0;
  const clock = { nowMs: () => 1_000, monotonicMs: () => timeMs };
  const slots = (['a', 'b'] as const).map((id) => ({
    id,
    subject: 'telemetry_id' as const,
    source: createSource(id, 'telemetry_id', () => createResult(id, { signals: { found: true, score: 5 } })),
  }));
  const policies = rememberPolicies({ inForce: () => inForce, kept: null, load: async () => null });
  const told: string[] = [];
  const failures: (string | null)[] = [];
  const custodySource = { names: ['telemetry'], ask: custody ?? (() => () => ({})) };
  const activitySource = {
    names: ['activity.account', 'activity.visitor'],
    ask: activity ?? (() => () => ({})),
  };
  const all: Candidates = createCandidates({
    candidates: () => now,
    policies,
    slots,
    placeOfAddress: () => ({ country: 'DE' }),
    fetch: createCandidateFetch({
      slots,
      custody: custodySource,
      sources: [activitySource],
      live: policies.current,
      clock,
      deadlineMs: 100,
    }),
    clock,
    observer: { onCandidateResult: ({ result }) => told.push(result) },
    onFailed: (candidate) => failures.push(candidate?.hash ?? null),
  });
  const made = createDecide({
    slots,
    policy: policies.current,
    facts: [custodySource, activitySource],
    clock,
    newId: () => 'id',
    deadlineMs: 100,
  });
  const decideWith = all.decideWith(decide ?? made);
  return {
    candidates: all,
    told,
    failures,
    policies,
    decide: (subject = SUBJECT): Decision | Promise<Decision> =>
      decideWith(subject, { maxAgeMs: null, deadlineMs: null }),
    /** What candidates come to after the answer. */
    judge: async (decision: Decision, subject = SUBJECT): Promise<readonly CandidateResult[] | undefined> => {
      const { promise, resolve } = Promise.withResolvers<readonly CandidateResult[] | undefined>();
      all.judgeLater(decision, subject, resolve);
      return promise;
    },
    setInForce: (policy: CompiledPolicy) => {
      inForce = policy;
    },
    setCandidates: (policies: readonly CompiledPolicy[]) => {
      now = policies;
    },
    pass: (ms: number) => {
      timeMs += ms;
    },
  };
}
