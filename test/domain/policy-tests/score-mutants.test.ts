import t from 'tap';
import { judgeWitness } from '../../../src/domain/policy-analysis/witness.ts';
import { readCases } from '../../../src/domain/policy-tests/read-cases.ts';
import { scoreMutants } from '../../../src/domain/policy-tests/score-mutants.ts';
import { SPACE_PROVIDERS } from '../../support/analysis-fixture.ts';
import { COMPILE_OPTIONS, compiled, documentOf, rule } from '../../support/policy-fixture.ts';

type Bounds = Parameters<typeof scoreMutants>[4];

/** The score of these cases for these rules, and the policy. */
function score(
  rules: readonly Record<string, unknown>[],
  cases: readonly Record<string, unknown>[],
  fields: Record<string, unknown> = {},
  bounds?: Bounds,
) {
  const policy = compiled(documentOf(rules, fields));
  const evidence = {
    a: { outcome: 'ok', signals: { found: true } },
    b: { outcome: 'ok', signals: { found: true } },
  };
  const named = cases.map((one, place) => ({ name: `case ${place}`, ...one }));
  const read = readCases({ policy: 'p.yaml', evidence, cases: named }, policy, SPACE_PROVIDERS);
  if (!read.ok) throw new Error(JSON.stringify(read.mistakes));
  const scored = scoreMutants(policy, read.value, SPACE_PROVIDERS, COMPILE_OPTIONS, bounds);
  const texts = scored.survivors.map(
    ({ what, after, told }) => `${what}: ${after}${told === null ? ' ?' : ` ${told.before} ${told.after}`}`,
  );
  return { ...scored, policy, texts };
}

const asn = (value: number) => ({ a: { outcome: 'ok', signals: { found: true, asn: value } } });

t.test('counts what cases notice, and shows what they do not with evidence', async (t) => {
  const { killed, equal, texts, survivors, policy } = score(
    [rule('a.asn > 5', { on_unknown: 'BLOCK' })],
    [
      { given: asn(9), decision: 'BLOCK' },
      { given: asn(4), decision: 'ALLOW' },
    ],
  );
  t.same(texts, [
    '>= for >: when: a.asn >= 5 ALLOW BLOCK',
    'another literal: when: a.asn > 6 BLOCK ALLOW',
    'another literal: when: a.asn > 4 ALLOW BLOCK',
    'milder when unknown: on_unknown: CHALLENGE BLOCK CHALLENGE',
  ]);
  t.match({ killed, equal }, { killed: 2, equal: 0 });
  for (const { told } of survivors) t.equal(told && judgeWitness(policy, told.witness).verdict, told?.before);
});

t.test('does not count what is the policy in other words', async (t) => {
  const { equal, survivors } = score(
    [rule('a.asn > 5 && a.asn > 3', { on_unknown: 'BLOCK' })],
    [{ given: asn(6), decision: 'BLOCK' }, { given: asn(5), decision: 'ALLOW' }, { decision: 'BLOCK' }],
  );
  // The second operand is of no use: left out, >=, 4, 2.
  t.equal(equal, 4);
  t.same(survivors, []);
});

t.test('compares whole policies where a rule that others stand before was changed', async (t) => {
  const rules = [
    rule('a.asn > 5', { id: 'strict', reason: 'STRICT', on_unknown: 'BLOCK' }),
    rule('a.asn > 7', { id: 'shadowed', reason: 'SHADOWED', verdict: 'CHALLENGE' }),
  ];
  const cases = [
    { given: asn(5), decision: 'ALLOW' },
    { given: asn(6), decision: 'BLOCK' },
    { decision: 'BLOCK' },
  ];
  const whole = score(rules, cases);
  t.same(
    whole.survivors.filter((one) => one.rule === 'shadowed'),
    [],
  );
  t.ok(whole.equal >= 5);
  const bounded = score(rules, cases, {}, { mutants: 100, comparisons: 0, steps: 1_000_000 });
  t.equal(bounded.killed, whole.killed);
  t.equal(bounded.equal, 0);
  t.ok(bounded.texts.every((text) => text.endsWith(' ?')));
  const short = score(rules, cases, {}, { mutants: 100, comparisons: 100, steps: 1 });
  t.equal(short.equal, 0);
});

t.test('never takes a step-up for the same as none', async (t) => {
  const rules = [rule('a.asn == 1', { verdict: 'CHALLENGE', step_up: '30m', min_acr: 'high' })];
  const others = [
    { given: asn(0), decision: 'ALLOW' },
    { given: asn(2), decision: 'ALLOW' },
  ];
  const acr = { acr_values: ['low', 'high'] };
  const { texts } = score(
    rules,
    [{ given: asn(1), decision: 'CHALLENGE' }, { decision: 'CHALLENGE' }, ...others],
    acr,
  );
  t.same(texts, [
    'without step_up:  ALLOW CHALLENGE',
    'another duration: step_up: 1801s CHALLENGE ALLOW',
    'another duration: step_up: 1799s ALLOW CHALLENGE',
    'without min_acr:  CHALLENGE ALLOW',
  ]);
  const around = score(
    rules,
    [...others, { given: asn(1), step_up: { acr: 'high' }, decision: 'ALLOW' }],
    acr,
  );
  t.ok(around.texts.includes('another duration: step_up: 1801s ?'));
});

t.test('compares whole policies where an exemption or the verdict of nothing was changed', async (t) => {
  const { texts } = score(
    [rule('a.asn == 1', { id: 'exempt', verdict: 'ALLOW', exempt: true, on_unknown: 'CHALLENGE' })],
    [{ given: asn(0), decision: 'BLOCK' }],
    { otherwise: 'BLOCK' },
  );
  t.ok(texts.includes('another literal: when: a.asn == 2 ALLOW BLOCK'));
  const exempting = score(
    [
      rule('a.asn == 1', { id: 'exempt', verdict: 'ALLOW', exempt: true, on_unknown: 'CHALLENGE' }),
      rule('a.asn in [1, 2]', { id: 'blocks', reason: 'BLOCKS' }),
    ],
    [{ given: asn(2), decision: 'BLOCK' }],
  );
  t.ok(exempting.texts.includes('without exempt:  ALLOW BLOCK'));
});

t.test('says how many were not tried', async (t) => {
  const { killed, survivors, untried } = score(
    [rule('a.asn > 5')],
    [{ given: asn(9), decision: 'BLOCK' }],
    {},
    { mutants: 2, comparisons: 1, steps: 1_000_000 },
  );
  t.equal(killed + survivors.length, 2);
  t.ok(untried >= 4);
});

t.test('looks around the request, too', async (t) => {
  const { texts } = score([rule('request.asn > 5')], [{ request: { asn: 9 }, decision: 'BLOCK' }]);
  t.ok(texts.includes('>= for >: when: request.asn >= 5 ALLOW BLOCK'), texts.join());
});
