import fc from 'fast-check';
import type { DecisionRecord } from '../../src/domain/decision-log/decision-record.ts';
import { toRecordedRequest } from '../../src/domain/decision-log/recorded-request.ts';
import type { CompiledPolicy } from '../../src/domain/policy/compile.ts';
import { evaluatePolicy } from '../../src/domain/policy/evaluate.ts';
import type { PolicyEvidence } from '../../src/domain/policy/evidence-row.ts';
import type { RequestSignals } from '../../src/domain/policy/request-signals.ts';
import { type TelemetryCustody, toCustodyResult } from '../../src/domain/policy/telemetry-signals.ts';
import { createDecisionRecord } from './decision-records.ts';
import {
  definiteEvidence,
  indefiniteEvidence,
  loseCustody,
  policyDocuments,
  requests,
  suspicions,
  wholeCustody,
} from './policy-arbitraries.ts';
import { compiledIfCheap, ok } from './policy-fixture.ts';

/** A request that has every id. */
export const FLAGS: RequestSignals = {
  telemetry_id_present: true,
  device_id_present: true,
  device_id_given: true,
};

/** What a policy is given for one decision. */
export interface Judged {
  readonly evidence: readonly PolicyEvidence[];
  readonly request: RequestSignals;
  readonly custody: TelemetryCustody;
}

/** The record of what a policy decides of this, as a file would have it. */
export function recordOf(policy: CompiledPolicy, judged: Partial<Judged> = {}): DecisionRecord {
  const { evidence = [ok(), ok()], request = FLAGS, custody = 'none' } = judged;
  const { verdict, ...made } = evaluatePolicy(policy, evidence, request, { telemetry: custody });
  const use = { cache: 'miss', cache_level: null, latency_ms: 1, age_ms: 0, request_id: null } as const;
  const providers = policy.providerIds.map((id, place) => {
    const { outcome = 'skipped', signals = null, suspect = false } = evidence[place] ?? {};
    return [id, { ...use, outcome, signals, suspect }];
  });
  const record = createDecisionRecord(0, 0, {
    decision: verdict,
    reasons: made.reasons,
    waivers: made.waivers,
    degraded: made.degraded,
    rules: made.trace,
    action: request.action ?? null,
    request: toRecordedRequest(request),
    providers: Object.fromEntries(providers),
    custody: {
      result: toCustodyResult(custody),
      signals: typeof custody === 'object' ? custody : null,
    },
    policy: { id: policy.id, hash: policy.hash },
  });
  return JSON.parse(JSON.stringify(record)) as DecisionRecord;
}

/** What a policy of two small providers may be given: whole, lost, in doubt. */
export function judgedInputs(): fc.Arbitrary<Judged> {
  const evidence = fc.oneof({ weight: 3, arbitrary: definiteEvidence() }, indefiniteEvidence());
  const custody = fc
    .tuple(wholeCustody(), fc.constantFrom('whole', 'lost', 'expiry lost'))
    .map(([whole, loss]) => (loss === 'whole' ? whole : loseCustody(whole, loss === 'lost')));
  return fc
    .tuple(fc.tuple(evidence, evidence), suspicions(), requests(), custody)
    .map(([pieces, suspect, request, held]) => ({
      evidence: pieces.map((piece, place) => ({ ...piece, suspect: suspect[place] === true })),
      request,
      custody: held,
    }));
}

/** Decisions of a policy, with the policy. */
interface PolicyDecisions {
  readonly policy: CompiledPolicy;
  readonly records: readonly DecisionRecord[];
}

/** Decisions of generated policies, `each` of every policy: the same for the same seed. */
export function* generateDecisions(policies: number, each: number, seed: number): Generator<PolicyDecisions> {
  const documents = fc.sample(policyDocuments(), { numRuns: policies, seed });
  for (const [place, document] of documents.entries()) {
    const policy = compiledIfCheap(document);
    if (policy === null) continue;
    const inputs = fc.sample(judgedInputs(), { numRuns: each, seed: seed + place });
    yield { policy, records: inputs.map((input) => recordOf(policy, input)) };
  }
}
