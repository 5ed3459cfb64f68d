import fc from 'fast-check';
import t from 'tap';
import { findUnfetched } from '../../../src/domain/candidates/find-unfetched.ts';
import { createJudgeCandidate, factsFor } from '../../../src/domain/candidates/judge-candidate.ts';
import type { Decision } from '../../../src/domain/decision.ts';
import { toRecordedFacts } from '../../../src/domain/decision-log/recorded-facts.ts';
import { toRecordedRequest } from '../../../src/domain/decision-log/recorded-request.ts';
import type { CompiledPolicy } from '../../../src/domain/policy/compile.ts';
import { evaluatePolicy } from '../../../src/domain/policy/evaluate.ts';
import type { PolicyEvidence } from '../../../src/domain/policy/evidence-row.ts';
import type { RequestSignals } from '../../../src/domain/policy/request-signals.ts';
import type { SubjectFacts } from '../../../src/domain/policy/subject-fact.ts';
import type { TelemetryCustody } from '../../../src/domain/policy/telemetry-signals.ts';
import type { Subject } from '../../../src/domain/subject.ts';
import {
  definiteEvidence,
  indefiniteEvidence,
  loseCustody,
  policyDocuments,
  requests,
  wholeCustody,
} from '../../support/policy-arbitraries.ts';
import { compiled, compiledIfCheap, documentOf, ok, rule } from '../../support/policy-fixture.ts';

const SUBJECT: Subject = { telemetryId: 'canary-telemetry', device: { kind: 'shared', id: null } };
const FLAGS: RequestSignals = { telemetry_id_present: true, device_id_present: true, device_id_given: true };

interface Input {
  readonly evidence: readonly PolicyEvidence[];
  readonly request: RequestSignals;
  readonly facts: SubjectFacts;
}

/** The decision of a live policy. */
function decide(live: CompiledPolicy, { evidence, request, facts }: Input): Decision {
  const { verdict, ...judgement } = evaluatePolicy(live, evidence, request, facts);
  const use = { origin: 'miss', latencyMs: 0, ageMs: 0, upstreamRequestId: null } as const;
  return {
    ...judgement,
    id: 'id',
    verdict,
    evidence: evidence.map((piece, place) => ({
      ...use,
      ...piece,
      provider: live.providerIds[place] ?? '',
      stored: piece.signals,
      suspect: piece.suspect ?? false,
    })),
    request: toRecordedRequest(request),
    visitor: null,
    place: null,
    custody: (facts['telemetry'] ?? 'unknown') as TelemetryCustody,
    facts: toRecordedFacts(live.factsNeeded, facts),
    policy: { id: live.id, hash: live.hash },
    decidedAtMs: 0,
    expiresAtMs: 0,
    latencyMs: 0,
  };
}

function judge(live: CompiledPolicy, candidate: CompiledPolicy, input: Input) {
  const decision = decide(live, input);
  const fetched = findUnfetched(live, candidate).length === 0 ? null : input.facts;
  // There is no use of a telemetry id that is not there.
  const subject = decision.custody === 'none' ? { ...SUBJECT, telemetryId: null } : SUBJECT;
  return createJudgeCandidate(live, candidate)({ decision, subject, request: input.request, fetched });
}

t.test('comes to what the candidate would have come to, whatever rules both have', async (t) => {
  let compared = 0;
  fc.assert(
    fc.property(
      policyDocuments(),
      policyDocuments(),
      fc.tuple(
        fc.oneof(definiteEvidence(), indefiniteEvidence()),
        fc.oneof(definiteEvidence(), indefiniteEvidence()),
      ),
      requests(),
      wholeCustody(),
      fc.boolean(),
      (document, other, evidence, request, whole, isLost) => {
        const live = compiledIfCheap(document);
        // Half of the rules are those of the live policy, in another order.
        const [own, others] = [document, other].map(({ rules }) => rules as Record<string, unknown>[]);
        const renamed = (others ?? []).map((one, place) => ({ ...one, id: `other-${place}` }));
        const rules = [...renamed, ...(own ?? [])].filter((_, place) => place % 2 === 0);
        const candidate = compiledIfCheap({ ...document, otherwise: other['otherwise'], rules });
        if (live === null || candidate === null) return;
        const telemetry = isLost ? loseCustody(whole, true) : whole;
        const facts: SubjectFacts = { telemetry };
        const expected = evaluatePolicy(candidate, evidence, request, facts);
        const result = judge(live, candidate, { evidence, request, facts });
        t.strictSame(
          { decision: result.decision, reasons: result.reasons },
          { decision: expected.verdict, reasons: expected.reasons },
        );
        compared += 1;
      },
    ),
    { seed: 15, numRuns: 150 },
  );
  t.ok(compared > 100);
});

t.test('takes a rule for the same only where its constants are', async (t) => {
  const withLimit = (value: number) =>
    compiled(
      documentOf([rule('a.score > params.limit')], { parameters: { limit: { type: 'double', value } } }),
    );
  const input = { evidence: [ok({ score: 5 }), ok()], request: FLAGS, facts: {} };
  t.equal(judge(withLimit(9), withLimit(9), input).decision, 'ALLOW');
  t.equal(judge(withLimit(9), withLimit(3), input).decision, 'BLOCK');
});

t.test('runs a rule that both have where its facts were told otherwise for the candidate', async (t) => {
  const within = (value: number) =>
    compiled(
      documentOf([rule('contradictions.travel')], { parameters: { travel_kmh: { type: 'int', value } } }),
    );
  const judgeBy = (candidate: CompiledPolicy) => {
    const decision = decide(within(1000), {
      evidence: [ok(), ok()],
      request: FLAGS,
      facts: { contradictions: { travel: false } },
    });
    const fetched = { contradictions: { travel: true } };
    const given = { decision, subject: SUBJECT, request: FLAGS };
    const isOther = findUnfetched(within(1000), candidate).length > 0;
    return createJudgeCandidate(within(1000), candidate)({ ...given, fetched: isOther ? fetched : null });
  };
  t.equal(judgeBy(within(300)).decision, 'BLOCK');
  t.equal(judgeBy(within(1000)).decision, 'ALLOW');
});

t.test('is satisfied by a step-up as the candidate asks for it', async (t) => {
  const challenge = (age: string) =>
    compiled(documentOf([rule('a.found', { verdict: 'CHALLENGE', step_up: age })]));
  const facts = { step_up: { age_seconds: 120, method: '', acr: '' } };
  const input = { evidence: [ok(), ok()], request: FLAGS, facts };
  t.match(judge(challenge('1h'), challenge('5m'), input), {
    decision: 'ALLOW',
    reasons: [{ satisfied: true }],
  });
  t.equal(judge(challenge('1h'), challenge('1m'), input).decision, 'CHALLENGE');
});

t.test('reads facts as the candidate does, who may read what satisfies the live policy alone', async (t) => {
  const live = compiled(documentOf([rule('a.found', { verdict: 'CHALLENGE', step_up: '1h' })]));
  const candidate = compiled(documentOf([rule('step_up.age_seconds > 60 && telemetry.uses > 1')]));
  const decision = decide(live, {
    evidence: [ok(), ok()],
    request: FLAGS,
    facts: { step_up: 'none', telemetry: 'none' },
  });
  t.match(factsFor(candidate, decision, SUBJECT), {
    step_up: { age_seconds: 2_147_483_647 },
    telemetry: 'unknown',
  });
  const nobody = { ...SUBJECT, telemetryId: null };
  t.match(factsFor(candidate, decision, nobody), { telemetry: 'none' });
});

t.test('refuses a trace that is not of its policy', async (t) => {
  const live = compiled(documentOf([rule('a.found'), rule('b.found', { id: 'second' })]));
  const input = { evidence: [ok(), ok()], request: FLAGS, facts: {} };
  const decision = decide(live, input);
  const cut = { ...decision, trace: decision.trace.slice(0, 1) };
  const judgeCut = createJudgeCandidate(live, { ...live, hash: 'sha256:other' });
  t.throws(() => judgeCut({ decision: cut, subject: SUBJECT, request: FLAGS, fetched: null }), RangeError);
});
