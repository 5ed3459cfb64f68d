import t from 'tap';
import { compileConditions } from '../../../src/domain/policy-tests/condition-policies.ts';
import { parseCondition, writeCondition } from '../../../src/domain/policy-tests/condition-text.ts';
import { measureCoverage } from '../../../src/domain/policy-tests/coverage.ts';
import { judgeCases } from '../../../src/domain/policy-tests/judge-cases.ts';
import { readCases } from '../../../src/domain/policy-tests/read-cases.ts';
import { SPACE_PROVIDERS } from '../../support/analysis-fixture.ts';
import { COMPILE_OPTIONS, compiled, documentOf, rule } from '../../support/policy-fixture.ts';

type Signals = Readonly<Record<string, unknown>> | null;

/** What cases with these signals of `a` reach; null is an outage. */
function cover(when: string, cases: readonly Signals[], fields: Record<string, unknown> = {}) {
  const policy = compiled(documentOf([rule(when)], fields));
  const evidence = { a: { outcome: 'ok', signals: { found: true } }, b: { outcome: 'skipped' } };
  const read = readCases(
    {
      policy: 'p.yaml',
      evidence,
      cases: cases.map((signals, place) => ({
        name: `case ${place}`,
        decision: 'ALLOW',
        given: {
          a:
            signals === null
              ? { outcome: 'timeout' }
              : { outcome: 'ok', signals: { found: true, ...signals } },
        },
      })),
    },
    policy,
    SPACE_PROVIDERS,
  );
  if (!read.ok) throw new Error(JSON.stringify(read.mistakes));
  const coverage = measureCoverage(policy, judgeCases(policy, read.value), COMPILE_OPTIONS);
  const [only] = coverage.rules;
  const branches = (only?.branches ?? []).map(
    ({ text, counts }) => `${text} ${counts?.true}/${counts?.false}/${counts?.unknown}`,
  );
  return { ...coverage, only, branches };
}

t.test('counts what rules came to', async (t) => {
  const { only, ofRules } = cover('a.action == "X"', [{ action: 'X' }, { action: 'X' }, null]);
  t.same(only?.counts, { true: 2, false: 0, unknown: 1 });
  t.same(ofRules, { covered: 2, total: 3 });
});

t.test('asks for no unknown of a rule that reads what is always there', async (t) => {
  const { only, ofRules } = cover('!request.device_id_given', [{}]);
  t.same(only?.expected, ['true', 'false']);
  t.same(ofRules, { covered: 1, total: 2 });
});

t.test('counts each operand where the ones before it leave it open', async (t) => {
  const when = 'a.action == "X" && a.asn > 5 || !(a.score > 0.5)';
  const { branches, ofBranches } = cover(when, [
    { action: 'X', asn: 9, score: 0.1 },
    { action: 'Y', asn: 9, score: 0.9 },
    { action: 'X', score: 0.1 },
  ]);
  t.same(branches, ['a.action == "X" 2/1/0', 'a.asn > 5 1/0/1', 'a.score > 0.5 1/1/0']);
  t.same(ofBranches, { covered: 5, total: 6 });
});

t.test('counts the condition of a choice, and the branch that is taken', async (t) => {
  const when = '(a.asn > 5 && a.asn < 9) ? a.action == "X" : a.action == "Y"';
  const { branches } = cover(when, [{ asn: 7, action: 'X' }, { asn: 1, action: 'X' }, { action: 'X' }]);
  t.same(branches, [
    'a.asn > 5 && a.asn < 9 1/1/1',
    'a.asn > 5 1/1/1',
    'a.asn < 9 1/0/1',
    'a.action == "X" 1/0/0',
    'a.action == "Y" 0/1/0',
  ]);
});

t.test('shows parameters by their names', async (t) => {
  const parameters = { most: { type: 'int', value: 5 } };
  t.same(cover('a.asn > params.most', [{ asn: 6 }], { parameters }).branches, ['a.asn > params.most 1/0/0']);
});

t.test('says which parts cannot be told alone', async (t) => {
  // The library writes the tree of `1 - (2 - 3)` as `1 - 2 - 3`.
  const { only, ofBranches } = cover('a.asn - (3 - a.asn) > 1 || a.asn == 7', [{ asn: 1 }]);
  t.same(only?.branches[0]?.counts, null);
  t.same(ofBranches, { covered: 1, total: 2 });
});

t.test('compiles what can be compiled of many conditions', async (t) => {
  const policy = compiled(documentOf([rule('a.found')]));
  const { places } = compileConditions(policy, ['a.found', 'a.fond', 'a.asn > 1'], COMPILE_OPTIONS);
  t.same([...places.keys()].toSorted(), ['a.asn > 1', 'a.found']);
});

t.test('writes a condition only where it reads as the same', async (t) => {
  const texts = [
    'a.found ? !b.found : a["x"] in ["p", "q"]',
    'has(a.net.country) && a.action.startsWith("x") || -a.asn < 3',
    '{"k": 1}["k"] == 1',
  ];
  for (const text of texts) t.type(writeCondition(parseCondition(text)), 'string', text);
  t.equal(writeCondition(parseCondition('1 - (2 - 3) > 0')), null);
  t.equal(writeCondition({ op: 'what', args: [] } as never), null);
});
