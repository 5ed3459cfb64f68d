import fc from 'fast-check';
import t from 'tap';
import { buildSpace } from '../../../src/domain/policy-analysis/build-space.ts';
import { checkNever } from '../../../src/domain/policy-analysis/check-never.ts';
import { judgeWitness } from '../../../src/domain/policy-analysis/witness.ts';
import { VERDICTS } from '../../../src/domain/verdict.ts';
import { compileLinearPattern } from '../../../src/platform/linear-pattern.ts';
import { analysedDocuments } from '../../support/analysed-documents.ts';
import { assignmentsIn, everyWitness, SPACE_PROVIDERS } from '../../support/analysis-fixture.ts';
import { compiled, compiledIfCheap, documentOf, rule } from '../../support/policy-fixture.ts';

const OPTIONS = { compilePattern: compileLinearPattern };
const ASSIGNMENTS_MAX = 12_000;

function check(
  never: readonly object[],
  rules = [rule('a.action == "BLOCK"')],
  fields: object = {},
  steps?: number,
) {
  const policy = compiled(documentOf(rules, { never, ...fields }));
  return { policy, ...checkNever(policy, SPACE_PROVIDERS, OPTIONS, steps) };
}

t.test('finds the assertions that an exhaustive search with the engine refutes, and no other', async (t) => {
  const seen = { violated: 0, holds: 0 };
  const conditions = [
    'a.action == "BLOCK"',
    'a.asn > 5',
    '!request.telemetry_id_present',
    'telemetry.expired',
  ];
  fc.assert(
    fc.property(
      analysedDocuments(),
      fc.constantFrom(...conditions),
      fc.constantFrom(...VERDICTS),
      (document, when, verdict) => {
        const policy = compiledIfCheap({ ...document, never: [{ when, verdict }] });
        if (policy === null) return;
        const asserted = compiled(documentOf([rule(when)]));
        const rules = [policy, asserted].flatMap((one, place) =>
          one.rules.map((each) => ({ policy: place, rule: each })),
        );
        const space = buildSpace(rules, [policy, asserted], SPACE_PROVIDERS);
        if (space.limits.length > 0 || assignmentsIn(space) > ASSIGNMENTS_MAX) return;
        let isViolated = false;
        for (const [witness] of everyWitness(space)) {
          const isHit = judgeWitness(asserted, witness).trace[0]?.result === 'true';
          isViolated ||= isHit && judgeWitness(policy, witness).verdict === verdict;
        }
        const { findings } = checkNever(policy, SPACE_PROVIDERS, OPTIONS);
        const kinds = findings.map(({ kind }) => kind);
        if (kinds.join() !== (isViolated ? 'never_violated' : ''))
          throw new Error(`${kinds.join()} of ${when} ${verdict}: ${JSON.stringify(document)}`);
        seen[isViolated ? 'violated' : 'holds'] += 1;
      },
    ),
    { numRuns: 80, seed: 20_260_703 },
  );
  t.ok(seen.violated > 5, `${seen.violated} do not hold`);
  t.ok(seen.holds > 5, `${seen.holds} hold`);
});

t.test('says nothing where all hold, and where there is none', async (t) => {
  t.same(check([{ verdict: 'ALLOW', when: 'a.action == "BLOCK"' }]).findings, []);
  t.same(check([]).findings, []);
});

t.test('shows what refutes one, by a parameter too, with its place', async (t) => {
  const { findings, policy } = check(
    [
      { verdict: 'ALLOW', when: 'a.action == "BLOCK"' },
      { verdict: 'CHALLENGE', when: 'has(a.asn) && a.asn == params.bad' },
    ],
    [rule('a.action == "BLOCK" || a.asn == params.bad || a.asn == params.other')],
    { parameters: { bad: { type: 'int', value: 7 }, other: { type: 'int', value: 9 } } },
  );
  t.same(findings, []);
  const second = check([{ verdict: 'BLOCK', when: 'has(a.asn) && a.asn == 7' }]);
  t.match(second.findings, [{ kind: 'never_violated', severity: 'error', place: 0 }]);
  const [finding] = second.findings;
  t.equal(finding?.witness === undefined ? null : judgeWitness(policy, finding.witness).verdict, 'BLOCK');
});

t.test('says what it could not prove', async (t) => {
  const matching = [rule('a.action.matches("^B")'), rule('a.action == "BLOCK"', { id: 'other' })];
  const never = [{ verdict: 'BLOCK', when: 'a.action.matches("^Q")' }];
  t.match(check(never, matching).findings, [{ kind: 'never_unproven', severity: 'warning' }]);
  const beyond = check([{ verdict: 'ALLOW', when: 'a.action == "BLOCK"' }], undefined, {}, 1);
  t.match(beyond.findings, [{ kind: 'never_unproven' }], 'within its bound');
});

t.test('refuses a condition that cannot be read, where it stands', async (t) => {
  const { mistakes, findings } = check([{ verdict: 'ALLOW', when: 'a.fond' }]);
  t.match(mistakes, [{ path: ['never', 0, 'when'] }]);
  t.same(findings, []);
});

t.test('claims nothing of texts that are compared by their order', async (t) => {
  const never = [{ verdict: 'ALLOW', when: 'has(a.action)' }];
  const { findings } = check(never, [rule('a.action >= "2026-01-01"')]);
  t.same(
    findings.map(({ kind }) => kind),
    ['never_unproven'],
  );
});

t.test('takes a parameter for read by its whole name', async (t) => {
  const parameter = { type: 'int', value: 5, description: 'x' };
  const fields = { parameters: { max: parameter, max_age: parameter } };
  const rules = [rule('a.asn > params.max'), rule('a.asn == params.max_age', { id: 'other' })];
  const { mistakes } = check([{ verdict: 'ALLOW', when: 'a.asn > params.max_age' }], rules, fields);
  t.same(mistakes, []);
});
