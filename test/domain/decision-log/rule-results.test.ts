import t from 'tap';
import {
  fromResultName,
  type JudgedRules,
  matchesRule,
  toResultName,
} from '../../../src/domain/decision-log/rule-results.ts';

const judged: JudgedRules = {
  reasons: [
    { code: 'TRUE', rule: 'true', certain: true },
    { code: 'UNKNOWN', rule: 'unknown', certain: false },
  ],
  waivers: [{ code: 'WAIVED', rule: 'waived' }],
  rules: [
    { rule: 'true', result: 'true' },
    { rule: 'false', result: 'false' },
    { rule: 'inert', result: 'inert' },
    { rule: 'unknown', result: 'unknown' },
    { rule: 'waived', result: 'unknown' },
  ],
};

t.test('tells rules that were true from those that were unknown or waived', async (t) => {
  for (const name of ['true', 'unknown', 'waived', 'false', 'inert'])
    for (const result of ['true', 'unknown', 'waived'] as const) {
      const isSo = name === result;
      t.equal(matchesRule(judged, { name, result }), isSo, `${name} as ${result}`);
      t.equal(matchesRule(judged, { name: name.toUpperCase(), result }), isSo, `its code as ${result}`);
    }
});

t.test('tells a reason that was satisfied as both', async (t) => {
  const satisfied = { ...judged, reasons: [{ code: 'ONE', rule: 'one', certain: true, satisfied: true }] };
  t.equal(matchesRule(satisfied, { name: 'ONE', result: 'true' }), true);
  t.equal(matchesRule(satisfied, { name: 'ONE', result: 'satisfied' }), true);
  t.equal(matchesRule(satisfied, { name: 'one', result: 'satisfied' }), true);
  t.equal(matchesRule(judged, { name: 'TRUE', result: 'satisfied' }), false);
});

t.test('spells a result after the name, but for what was true', async (t) => {
  for (const [text, name, result] of [
    ['A', 'A', 'true'],
    ['A:unknown', 'A', 'unknown'],
    ['a-b:waived', 'a-b', 'waived'],
  ] as const) {
    t.equal(toResultName(name, result), text);
    t.same(fromResultName(text), { name, result });
  }
  t.same(fromResultName('A:true'), { name: 'A', result: 'true' });
});
