import t from 'tap';
import { falsePositivesOf, orderRules } from '../../../src/dashboard/page/rules/order-rules.ts';
import type { RuleStat } from '../../../src/dashboard/page/wire-rules.ts';

const unseen = { share: null, n: 0, low: 0, high: 1 };
const rule = (id: string, fired: number, precision: number | null): RuleStat => ({
  rule: id,
  in_force: true,
  written: null,
  since: null,
  fired,
  unknown: 0,
  waived: 0,
  satisfied: 0,
  fired_by_step: null,
  decisive: 0,
  labels: {},
  precision: precision === null ? unseen : { share: precision, n: 4, low: 0, high: 1 },
  recall: unseen,
  challenge_pass: unseen,
  time_to_label_ms: null,
});

t.test('rules are ordered by what matters, and what is not known comes last', async (t) => {
  const rules = [rule('a', 3, 0.9), rule('b', 7, null), rule('c', 0, 0.2), rule('d', 1, null)];
  const order = (by: Parameters<typeof orderRules>[1]) =>
    orderRules(rules, by)
      .map(({ rule: id }) => id)
      .join('');
  t.equal(order('policy'), 'abcd');
  t.equal(order('fired'), 'badc');
  t.equal(order('precision'), 'cabd', 'the least precise first');
});

t.test('who was legitimate after all is a false positive', async (t) => {
  const labels = { legit: 2, challenge_passed: 1, fraud: 4, abandoned: 3 };
  t.strictSame(falsePositivesOf({ labels }), [
    ['legit', 2],
    ['challenge_passed', 1],
  ]);
  t.strictSame(falsePositivesOf({ labels: { fraud: 1 } }), []);
});
