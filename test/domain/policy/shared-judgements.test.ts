import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { z } from 'zod';
import { type CompiledPolicy, compilePolicy } from '../../../src/domain/policy/compile.ts';
import { evaluatePolicy } from '../../../src/domain/policy/evaluate.ts';
import type { RequestSignals } from '../../../src/domain/policy/request-signals.ts';
import { definiteEvidence, policyDocuments } from '../../support/policy-arbitraries.ts';
import { compiled, documentOf, NOT_FOUND, ok, rule, SKIPPED, TIMEOUT } from '../../support/policy-fixture.ts';
import {
  oddCustody,
  oddEvidence,
  oddRequests,
  SUBSET_OPTIONS,
  subsetConditions,
} from '../../support/subset-conditions.ts';

/** Seeded, so that a failure repeats. */
const RUNS = { numRuns: 800, seed: 20261129 };

const REQUEST: RequestSignals = {
  telemetry_id_present: true,
  device_id_present: true,
  device_id_given: true,
};

/** The same policy, to which nothing is known yet, and whose conditions are all interpreted. */
function interpreted(policy: CompiledPolicy): CompiledPolicy {
  return { ...policy, rules: policy.rules.map((each) => ({ ...each, test: () => undefined })) };
}

/** Documents that read all that closures read, beside documents that read what they do not. */
const documents = fc.oneof(
  policyDocuments(),
  fc
    .array(
      fc.record({
        when: subsetConditions(),
        verdict: fc.constantFrom('CHALLENGE', 'BLOCK'),
        on_unknown: fc.constantFrom('CHALLENGE', 'BLOCK', 'IGNORE'),
      }),
      { minLength: 1, maxLength: 5 },
    )
    .map((rules) => documentOf(rules.map((fields, place) => rule('', { id: `rule-${place}`, ...fields })))),
);

t.test('judges as the interpreter alone does, whatever was judged before', async (t) => {
  const evidence = fc.oneof(oddEvidence(), definiteEvidence());
  const subjects = fc.array(fc.tuple(fc.tuple(evidence, evidence), oddRequests(), oddCustody()), {
    minLength: 12,
    maxLength: 12,
  });
  let judged = 0;
  let shared = 0;
  fc.assert(
    fc.property(documents, subjects, (document, list) => {
      const result = compilePolicy(document, SUBSET_OPTIONS);
      fc.pre(result.ok);
      const known = new Set<object>();
      for (const [pieces, request, custody] of list) {
        const judgement = evaluatePolicy(result.value, pieces, request, { telemetry: custody });
        assert.deepEqual(
          judgement,
          evaluatePolicy(interpreted(result.value), pieces, request, { telemetry: custody }),
        );
        judged += 1;
        if (known.has(judgement)) shared += 1;
        known.add(judgement);
      }
    }),
    RUNS,
  );
  t.comment(JSON.stringify({ judged, shared }));
  t.ok(shared > judged / 10, `${shared} of ${judged} judgements were shared`);
});

t.test('tells apart what differs in losses alone, with the same results of rules', async (t) => {
  const policy = compiled(documentOf([rule('!a.found && b.found || telemetry.expired')]));
  const whys = [
    evaluatePolicy(policy, [TIMEOUT, ok()], REQUEST, { telemetry: 'none' }),
    evaluatePolicy(policy, [{ outcome: 'unavailable', signals: null }, ok()], REQUEST, { telemetry: 'none' }),
    evaluatePolicy(policy, [{ outcome: 'ok', signals: null }, ok()], REQUEST, { telemetry: 'none' }),
    evaluatePolicy(policy, [TIMEOUT, ok()], REQUEST, { telemetry: 'unknown' }),
    evaluatePolicy(policy, [SKIPPED, SKIPPED], REQUEST, { telemetry: 'unknown' }),
  ].map(({ trace }) => trace[0]?.why);
  t.same(whys, [
    'a timeout, no telemetry id',
    'a unavailable, no telemetry id',
    'a ok, no telemetry id',
    'a timeout, custody unavailable',
    'a skipped, b skipped, custody unavailable',
  ]);
});

t.test('shares what cannot be changed', async (t) => {
  const rules = [
    rule('a.found', { id: 'one' }),
    rule('b.action == "X"', { id: 'two', on_unknown: 'IGNORE' }),
    rule('b.found', { id: 'three' }),
  ];
  const policy = compiled(documentOf(rules));
  for (const pieces of [
    [ok(), TIMEOUT],
    [ok(), NOT_FOUND],
    [ok(), ok({ action: 'X' })],
  ]) {
    const judgement = evaluatePolicy(policy, pieces, REQUEST);
    t.equal(evaluatePolicy(policy, pieces, REQUEST), judgement);
    t.ok(isFrozen(judgement));
  }
});

function isFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return Object.isFrozen(value) && Object.values(value).every(isFrozen);
}

t.test('forgets judgements before there are too many, and stays right', async (t) => {
  const bits = Array.from({ length: 10 }, (_, bit) => bit);
  const rules = bits.map((bit) => rule(`"${bit}" in a.reasons`, { id: `rule-${bit}`, reason: `R_${bit}` }));
  const policy = compiled(documentOf(rules));
  const judge = (number: number) => {
    const reasons = bits.filter((bit) => number & (1 << bit)).map(String);
    return { reasons, judgement: evaluatePolicy(policy, [ok({ reasons }), ok()], REQUEST) };
  };
  const first = judge(0).judgement;
  t.equal(judge(0).judgement, first);
  for (let number = 0; number < 1024; number += 1) {
    const { reasons, judgement } = judge(number);
    t.same(
      judgement.reasons.map(({ code }) => code),
      reasons.map((bit) => `R_${bit}`),
    );
  }
  t.not(judge(0).judgement, first);
});

t.test('forgets situations before there are too many', async (t) => {
  const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  const signals = z.object({ found: z.boolean() });
  const options = { ...SUBSET_OPTIONS, providers: ids.map((id) => ({ id, signals })) };
  const result = compilePolicy(documentOf([rule('a.found')]), options);
  if (!result.ok) throw new Error(JSON.stringify(result.mistakes));
  const judge = (number: number) =>
    evaluatePolicy(
      result.value,
      ids.map((_, place) => (number & (1 << place) ? TIMEOUT : ok())),
      REQUEST,
    );
  const first = judge(0);
  for (let number = 0; number < 128; number += 1)
    t.equal(judge(number).trace[0]?.why, number & 1 ? 'a timeout' : undefined);
  t.not(judge(0), first);
});
