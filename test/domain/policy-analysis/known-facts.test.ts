import t from 'tap';
import { analyzePolicy } from '../../../src/domain/policy-analysis/analyze-policy.ts';
import { checkNever } from '../../../src/domain/policy-analysis/check-never.ts';
import { witnessSchema } from '../../../src/domain/policy-analysis/witness.ts';
import { compileLinearPattern } from '../../../src/platform/linear-pattern.ts';
import { SPACE_PROVIDERS } from '../../support/analysis-fixture.ts';
import { compiled, documentOf, rule } from '../../support/policy-fixture.ts';

const OPTIONS = { compilePattern: compileLinearPattern };

/** What becomes of one assertion about these rules; empty where it is proven. */
function check(verdict: string, when: string, rules: readonly object[]) {
  const policy = compiled(
    documentOf(rules as Parameters<typeof documentOf>[0], { never: [{ verdict, when }] }),
  );
  return checkNever(policy, SPACE_PROVIDERS, OPTIONS)
    .findings.map(({ kind }) => kind)
    .join();
}

t.test('knows a contradiction that had nothing to compare from one that was lost', async (t) => {
  const rules = [
    rule('contradictions.clock', { id: 'is', on_unknown: 'BLOCK' }),
    rule('!contradictions.clock', { id: 'is-not' }),
  ];
  t.equal(check('CHALLENGE', 'contradictions.travel', rules), 'never_violated');
});

t.test('never takes contradictions for none of their own', async (t) => {
  const rules = [
    rule('contradictions.clock', { id: 'is' }),
    rule('!contradictions.clock', { id: 'is-not', on_unknown: 'BLOCK' }),
  ];
  t.equal(check('ALLOW', 'a.found', rules), '');
});

t.test('knows counts that are known between two numbers alone', async (t) => {
  const exempt = (n: number) =>
    rule(`contradictions.count == ${n}`, { id: `exempt-${n}`, verdict: 'ALLOW', exempt: true });
  const numbers = Array.from({ length: 10 }, (_, place) => exempt(place + 1));
  numbers.push(rule('contradictions.count > 10', { id: 'more', verdict: 'ALLOW', exempt: true }));
  t.equal(check('BLOCK', 'a.found', [rule('contradictions.count >= 1'), ...numbers]), 'never_violated');
});

t.test('knows what totals and single contradictions are together', async (t) => {
  const counted = [rule('contradictions.count >= 1', { verdict: 'CHALLENGE', on_unknown: 'CHALLENGE' })];
  t.equal(check('ALLOW', 'contradictions.travel', counted), '', 'one is at least one');
  t.equal(check('ALLOW', 'contradictions.strongest == "clock"', counted), '');
  t.equal(check('CHALLENGE', '!contradictions.travel', counted), 'never_violated', 'it may be another');
  const families = [rule('contradictions.families >= 2')];
  t.equal(check('BLOCK', 'contradictions.count == 1', families), '');
  t.equal(check('BLOCK', 'contradictions.count == 2', families), 'never_violated');
  t.equal(check('BLOCK', 'contradictions.strongest == "roaming"', families), '', 'all others are stronger');
  const strongest = [rule('contradictions.strongest == "travel"', { on_unknown: 'IGNORE' })];
  t.equal(check('BLOCK', 'contradictions.identity_reuse', strongest), '', 'that is stronger');
  t.equal(check('BLOCK', '!contradictions.travel', strongest), '');
  t.equal(check('BLOCK', 'contradictions.clock', strongest), 'never_violated');
});

t.test('tells values apart of which one is compared, and searched', async (t) => {
  // Two texts that both begin so, and differ.
  const rules = [rule('a.action.startsWith("B") && b.action.startsWith("B") && a.action != b.action')];
  t.not(check('BLOCK', 'a.found', rules), '');
});

t.test('knows integers on both sides of a fraction', async (t) => {
  t.equal(check('BLOCK', 'a.found', [rule('a.asn < 5.5 && a.asn > 4.5')]), 'never_violated');
  t.equal(
    check('BLOCK', 'a.found', [rule('a.asn >= 5.5 && a.asn <= 5.5', { on_unknown: 'CHALLENGE' })]),
    '',
    'and none that is one',
  );
  t.equal(check('BLOCK', 'a.found', [rule('telemetry.uses > 0.2 && telemetry.uses < 0.8')]), '');
});

t.test('knows telemetry ids that nobody can be asked about', async (t) => {
  const rules = [
    rule('telemetry.uses > 1', { id: 'uses' }),
    rule('!request.telemetry_id_present', { id: 'missing' }),
  ];
  t.equal(check('ALLOW', '!a.found', rules), 'never_violated');
  const both = [rule('telemetry.uses > 1 && !a.found', { id: 'uses' })];
  t.equal(check('BLOCK', '!request.telemetry_id_present', both), '');
});

t.test('knows places of addresses that could not be looked up', async (t) => {
  const rules = [rule('has(request.country) && request.country == "DE"', { id: 'is', on_unknown: 'BLOCK' })];
  t.equal(
    check('BLOCK', 'has(request.ip) && a.found && !b.found', [
      rule('has(request.country) && request.country == "DE" && request.country != "DE"', {
        on_unknown: 'BLOCK',
      }),
    ]),
    'never_violated',
  );
  t.equal(check('BLOCK', '!has(request.ip)', rules), '', 'without an address there is no place');
});

t.test('gives no text to what is absent where it is empty', async (t) => {
  t.equal(check('BLOCK', 'a.found', [rule('has(request.action) && request.action == ""')]), '');
});

t.test('fills no table beyond its bound', async (t) => {
  const wide = Array.from({ length: 4 }, (_, place) =>
    rule(
      ['asn', 'score']
        .map((name) =>
          [1, 2, 3].map((n) => `a.${name} != ${place * 7 + n}${name === 'score' ? '.0' : ''}`).join(' && '),
        )
        .join(' && '),
      { id: `wide-${place}` },
    ),
  );
  const { limits, isComplete } = analyzePolicy(
    compiled(documentOf(wide as Parameters<typeof documentOf>[0])),
    SPACE_PROVIDERS,
    1_000,
  );
  t.match(limits, [/^rule wide-\d: it takes too long/]);
  t.notOk(isComplete);
});

t.test('reads no fact that is known without saying what', async (t) => {
  const witness = (fact: unknown) => ({
    evidence: {},
    request: { telemetry_id_present: true, device_id_present: true, device_id_given: true },
    facts: { telemetry: fact },
  });
  t.notOk(witnessSchema.safeParse(witness('known')).success);
  for (const fact of ['unknown', 'none', { uses: 1 }]) t.ok(witnessSchema.safeParse(witness(fact)).success);
});
