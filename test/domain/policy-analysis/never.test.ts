import fc from 'fast-check';
import t from 'tap';
import { buildSpace } from '../../../src/domain/policy-analysis/build-space.ts';
import { checkNever } from '../../../src/domain/policy-analysis/check-never.ts';
import { isNeverAllowed } from '../../../src/domain/policy-analysis/prove-by-few.ts';
import { isBlockedByOne } from '../../../src/domain/policy-analysis/prove-by-one.ts';
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
  const blocking = rule('a.action in ["BLOCK", "DENY"]');
  const beyond = check([{ verdict: 'ALLOW', when: 'a.action == "BLOCK"' }], [blocking], {}, 1);
  t.match(beyond.findings, [{ kind: 'never_unproven' }], 'within its bound');
});

t.test('proves an ALLOW by the rules that read the same, at no cost of the others', async (t) => {
  const blocking = rule('a.action == "BLOCK"');
  const spent = [0, 40].map((count) => {
    const others = Array.from({ length: count }, (_, place) =>
      rule(`a.asn == ${place}`, { id: `other-${place}` }),
    );
    const conditions = compiled(documentOf([blocking]));
    const budget = { steps: 10_000 };
    const isProven = conditions.rules.map((condition) =>
      isNeverAllowed(
        compiled(documentOf([...others, blocking])),
        condition,
        conditions,
        SPACE_PROVIDERS,
        budget,
      ),
    );
    t.same(isProven, [true]);
    return 10_000 - budget.steps;
  });
  t.equal(spent[1], spent[0]);
});

t.test('proves an ALLOW without a step where one rule says BLOCK of all that is named', async (t) => {
  const when = 'a.asn == 7 || a.action == "BLOCK"';
  const isProven = (rules: readonly ReturnType<typeof rule>[], asserted = when) =>
    compiled(documentOf([rule(asserted)])).rules.map((condition) =>
      isBlockedByOne(compiled(documentOf(rules)), condition),
    );
  const blocking = 'a.action == "BLOCK" || telemetry.expired || a.asn == 7';
  t.same(isProven([rule(blocking)]), [true]);
  t.same(isProven([rule(when)]), [true]);
  t.same(isProven([rule('a.asn == 7'), rule(blocking, { id: 'second' })]), [true], 'whichever rule it is');
  for (const [why, fields] of Object.entries({
    'it challenges': { verdict: 'CHALLENGE' },
    'it allows': { verdict: 'ALLOW' },
    'it only observes': { verdict: 'ALLOW', observe: true },
    'it is waived': { on_unknown: 'IGNORE' },
  }))
    t.same(isProven([rule(blocking, fields)]), [false], why);
  t.same(
    isProven([rule('a.asn == 7'), rule('a.action == "BLOCK"', { id: 'second' })]),
    [false],
    'no one rule',
  );
  t.same(isProven([rule('a.asn == 7 && a.action == "BLOCK"')]), [false], 'both at once');
  t.same(isProven([rule('!(a.asn == 7 || a.action == "BLOCK")')]), [false], 'its opposite');
  const isAlike = (left: string, right: string) => isProven([rule(left)], right).includes(true);
  t.ok(isAlike('a.reasons.exists(r, r == "X")', '(a.reasons.exists(r,  r == "X"))'));
  t.notOk(isAlike('a.reasons.exists(r, r == "X")', 'a.reasons.exists(r, r == "Y")'));
  t.notOk(isAlike('a.score > 0.00000000001', 'a.score > 0.00000000002'), 'numbers that are small');
  t.notOk(isAlike('a.asn in [1, 2]', 'a.asn in [1, 2, 3]'));
  t.notOk(isAlike('a.asn in [1, 2]', 'a.asn in [1, 3]'));
  t.notOk(isAlike('a.asn > 5', 'a.asn >= 5'));
  t.notOk(isAlike('has(a.asn)', 'a.found'));
  const exempting = rule('a.asn == 8', { id: 'trusted', verdict: 'ALLOW', exempt: true });
  t.same(isProven([exempting, rule(blocking)]), [false], 'another rule exempts');
  t.same(check([{ verdict: 'ALLOW', when }], [rule(blocking)], {}, 0).findings, [], 'no steps are needed');
});

t.test('proves none of the assertions by one rule that an exhaustive search refutes', async (t) => {
  let proven = 0;
  fc.assert(
    fc.property(analysedDocuments(), fc.nat(), (document, pick) => {
      const policy = compiledIfCheap(document);
      const source = policy?.rules[pick % policy.rules.length]?.source;
      if (policy === null || source === undefined) return;
      const asserted = compiled(documentOf([rule(source.when)]));
      const [condition] = asserted.rules;
      if (condition === undefined || !isBlockedByOne(policy, condition)) return;
      const rules = [policy, asserted].flatMap((one, place) =>
        one.rules.map((each) => ({ policy: place, rule: each })),
      );
      const space = buildSpace(rules, [policy, asserted], SPACE_PROVIDERS);
      if (space.limits.length > 0 || assignmentsIn(space) > ASSIGNMENTS_MAX) return;
      proven += 1;
      for (const [witness] of everyWitness(space)) {
        const isHit = judgeWitness(asserted, witness).trace[0]?.result === 'true';
        if (isHit && judgeWitness(policy, witness).verdict === 'ALLOW')
          throw new Error(`${source.when}: ${JSON.stringify(document)}`);
      }
    }),
    { numRuns: 120, seed: 20_261_130 },
  );
  t.ok(proven > 5, `${proven} were proven`);
});

t.test('does not forget that another rule exempts, or says ALLOW itself', async (t) => {
  const blocking = rule('a.action == "BLOCK"');
  const never = [{ verdict: 'ALLOW', when: 'a.action == "BLOCK"' }];
  const exempting = rule('a.asn == 7', { id: 'trusted', verdict: 'ALLOW', exempt: true });
  t.match(check(never, [exempting, blocking]).findings, [{ kind: 'never_violated' }]);
  const allowing = rule('a.asn == 7', { id: 'mild', verdict: 'ALLOW' });
  t.match(check(never, [allowing], { otherwise: 'BLOCK' }).findings, [{ kind: 'never_violated' }]);
  t.same(check(never, [blocking, allowing], { otherwise: 'BLOCK' }).findings, []);
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
