import t from 'tap';
import {
  checkPromotion,
  checkWatch,
  isPassed,
  PROMOTION_CHECKS,
  type PromotionEvidence,
} from '../../../src/domain/promotion/check-promotion.ts';
import {
  type PromotionLimits,
  promotionSchema,
  toPromotionLimits,
} from '../../../src/domain/promotion/promotion-limits.ts';
import { NO_CHANGES, type SeenChanges } from '../../../src/domain/promotion/seen-changes.ts';

const LIMITS: PromotionLimits = toPromotionLimits(promotionSchema.parse({}));
const SEEN: SeenChanges = { hours: 24, judged: 1000, changedTo: NO_CHANGES, notJudged: 0 };
const GOOD: PromotionEvidence = {
  cases: { kind: 'run', passed: 12, failed: [] },
  losses: { kind: 'analyzed', violations: [] },
  wayBack: [],
  seen: SEEN,
};

const failing = (evidence: Partial<PromotionEvidence>, limits: Partial<PromotionLimits> = {}) =>
  checkPromotion({ ...LIMITS, ...limits }, { ...GOOD, ...evidence })
    .filter(({ passed }) => !passed)
    .map(({ id }) => id);
const seen = (fields: Partial<SeenChanges>) => ({ seen: { ...SEEN, ...fields } });

t.test('shows all checks, whether they pass or not', async (t) => {
  const nothing: PromotionEvidence = {
    cases: { kind: 'unknown', why: 'no' },
    losses: { kind: 'unknown', why: 'no' },
    wayBack: ['no'],
    seen: null,
  };
  for (const evidence of [GOOD, nothing])
    t.same(
      checkPromotion(LIMITS, evidence).map(({ id }) => id),
      PROMOTION_CHECKS,
    );
  t.ok(isPassed(checkPromotion(LIMITS, GOOD)));
  t.notOk(
    checkPromotion(LIMITS, nothing).some(({ passed }) => passed),
    'what is not known passes nothing',
  );
});

t.test('asks for cases that pass', async (t) => {
  t.same(failing({ cases: { kind: 'run', passed: 3, failed: ['a', 'b'] } }), ['tests']);
  t.same(failing({ cases: { kind: 'none' } }), ['tests']);
  t.same(failing({ cases: { kind: 'none' } }, { needsTests: false }), []);
  for (const cases of [
    { kind: 'run', passed: 0, failed: ['a'] },
    { kind: 'unknown', why: 'TIMEOUT' },
  ] as const)
    t.same(failing({ cases }, { needsTests: false }), ['tests'], 'those that there are count all the same');
  const [check] = checkPromotion(LIMITS, {
    ...GOOD,
    cases: { kind: 'run', passed: 0, failed: ['a', 'b', 'c', 'd'] },
  });
  t.match(check, { measured: 4, limit: 0, detail: '4 fail: a; b; c; and 1 more' });
});

t.test('asks that no loss makes an answer ALLOW', async (t) => {
  t.same(failing({ losses: { kind: 'analyzed', violations: ['losing a makes ALLOW of BLOCK'] } }), ['loss']);
  t.same(failing({ losses: { kind: 'unknown', why: 'too much' } }), ['loss']);
});

t.test('asks that the policy in force can come back', async (t) => {
  t.same(failing({ wayBack: ['1:1: bad'] }), ['rollback']);
  const check = checkPromotion(LIMITS, { ...GOOD, wayBack: ['a', 'b', 'c', 'd'] }).find(
    ({ id }) => id === 'rollback',
  );
  t.match(check, { detail: 'the policy in force could not come back: a; b; c; and 1 more' });
});

t.test('asks for enough decisions in enough hours', async (t) => {
  t.same(failing(seen({ judged: 999 })), ['decisions']);
  t.same(failing(seen({ hours: 23 })), ['hours']);
  t.same(failing(seen({ judged: 0 })), ['decisions', 'judged', 'new_blocks', 'new_challenges', 'new_allows']);
});

t.test('compares what may be, not what was seen', async (t) => {
  // 1 of 1,000 is 0.1 %, and at most 0.47 % with 95 % confidence; 2 are at most 0.63 %.
  t.same(failing(seen({ changedTo: { ...NO_CHANGES, BLOCK: 1 } })), []);
  t.same(failing(seen({ changedTo: { ...NO_CHANGES, BLOCK: 2 } })), ['new_blocks']);
  t.same(failing(seen({ judged: 100_000, changedTo: { ...NO_CHANGES, BLOCK: 400 } })), []);
  t.same(failing(seen({ changedTo: { ...NO_CHANGES, CHALLENGE: 6 } })), ['new_challenges']);
  t.same(failing(seen({ changedTo: { ...NO_CHANGES, ALLOW: 2 } })), ['new_allows']);
  const check = checkPromotion(LIMITS, { ...GOOD, ...seen({ changedTo: { ...NO_CHANGES, BLOCK: 2 } }) }).find(
    ({ id }) => id === 'new_blocks',
  );
  t.match(check, { measured: 0.002, limit: 0.005, detail: /^2 of 1000 .* at most 0\.628 %$/ });
});

t.test('takes what was not judged for a change of each kind', async (t) => {
  t.same(failing(seen({ notJudged: 1 })), ['judged']);
  t.same(failing(seen({ notJudged: 1 }), { notJudgedMax: 0.01 }), []);
  t.same(failing(seen({ notJudged: 2 }), { notJudgedMax: 0.01 }), ['new_blocks', 'new_allows']);
});

t.test('takes a limit of none for what it says', async (t) => {
  t.same(failing({}, { changedMax: { ...LIMITS.changedMax, BLOCK: 0 } }), ['new_blocks'], 'never proven');
  t.same(
    failing(seen({ changedTo: { ...NO_CHANGES, BLOCK: 1000 } }), {
      changedMax: { ...LIMITS.changedMax, BLOCK: 1 },
    }),
    [],
  );
});

t.test('finds a breach of what answers only beyond chance', async (t) => {
  const breaches = (changes: Partial<SeenChanges>) =>
    checkWatch(LIMITS, { ...SEEN, ...changes })
      .filter(({ passed }) => !passed)
      .map(({ id }) => id);
  t.same(breaches({}), []);
  // Above the limit, as it can be by chance.
  t.same(breaches({ changedTo: { ...NO_CHANGES, BLOCK: 8 } }), []);
  t.same(breaches({ changedTo: { ...NO_CHANGES, BLOCK: 30 } }), ['new_blocks']);
  t.same(breaches({ changedTo: { ALLOW: 30, CHALLENGE: 50, BLOCK: 0 } }), ['new_challenges', 'new_allows']);
  t.same(breaches({ judged: 0, notJudged: 1000 }), [], 'what was not judged shows nothing');
  const [blocks] = checkWatch(LIMITS, { ...SEEN, judged: 0 });
  t.match(blocks, { measured: null, bound: 0, detail: /^0 of 0/ });
});
