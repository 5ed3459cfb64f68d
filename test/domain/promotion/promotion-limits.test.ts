import t from 'tap';
import { compilePolicy } from '../../../src/domain/policy/compile.ts';
import { toPromotionLimits, toShare } from '../../../src/domain/promotion/promotion-limits.ts';
import { COMPILE_OPTIONS, compiled, documentOf, rule } from '../../support/policy-fixture.ts';

function mistakesOf(promotion: unknown) {
  const result = compilePolicy(documentOf([rule('a.found')], { promotion }), COMPILE_OPTIONS);
  return result.ok ? [] : result.mistakes.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

t.test('reads percentages, and nothing else', async (t) => {
  for (const [text, share] of [
    ['0.5%', 0.005],
    ['0%', 0],
    ['100%', 1],
    ['12.25 %', 0.1225],
    ['0.000001%', 1e-8],
  ] as const)
    t.equal(toShare(text), share, text);
  for (const text of ['', '0.5', '100.1%', '-1%', '5%%', '.5%', '1e1%', '٥%', '0.5% '])
    t.equal(toShare(text), null, text);
});

t.test('has limits for a policy that sets none, and those that it sets', async (t) => {
  const limitsOf = (fields: Record<string, unknown>) =>
    toPromotionLimits(compiled(documentOf([rule('a.found')], fields)).document.promotion);
  const standard = limitsOf({});
  t.same(standard, {
    decisionsMin: 1000,
    hoursMin: 24,
    changedMax: { ALLOW: 0.005, CHALLENGE: 0.01, BLOCK: 0.005 },
    notJudgedMax: 0,
    needsTests: true,
    waivedRules: [],
    watchHours: 24,
  });
  const own = limitsOf({ promotion: { max_new_blocks: '2%', tests: 'optional', waived_rules: ['x'] } });
  t.same(own, {
    ...standard,
    changedMax: { ...standard.changedMax, BLOCK: 0.02 },
    needsTests: false,
    waivedRules: ['x'],
  });
});

t.test('permits nothing by a percentage that is none', async (t) => {
  const { promotion } = compiled(documentOf([rule('a.found')])).document;
  t.equal(toPromotionLimits({ ...promotion, max_new_allows: 'all' }).changedMax.ALLOW, 0);
});

t.test('says what is wrong with limits, and what may be meant', async (t) => {
  t.match(mistakesOf({ min_decision: 1 }), [/unknown field "min_decision": did you mean "min_decisions"\?/]);
  t.match(mistakesOf({ max_new_blocks: 0.5 }), [
    /promotion\.max_new_blocks: must be a percentage from 0% to 100%/,
  ]);
  t.match(mistakesOf({ max_new_allows: '101%' }), [/percentage/]);
  t.match(mistakesOf({ max_new_allows: '0.0%' }), [/more than 0%: no number of decisions/]);
  t.match(mistakesOf({ tests: 'requird' }), [/did you mean required\?/]);
  t.match(mistakesOf({ watch_hours: 0, min_hours: 721 }), [/min_hours: .*at most 720/, /at least 1/]);
  t.match(mistakesOf({ min_decisions: 1.5 }), [/whole number/]);
});

t.test('judges by no limit', async (t) => {
  const [one, other] = [{ min_hours: 1 }, { min_hours: 2 }].map(
    (promotion) => compiled(documentOf([rule('a.found')], { promotion })).rules[0],
  );
  t.same(one?.source, other?.source);
});
