import t from 'tap';
import type { BacktestOutcome } from '../../../src/domain/backtest/judge-record.ts';
import {
  addChanged,
  addGroup,
  type BacktestGroup,
  createTally,
  mergeTallies,
} from '../../../src/domain/backtest/tally.ts';
import { toReport } from '../../../src/domain/backtest/to-report.ts';

const HOUR_MS = 3_600_000;
const judged = (
  verdict: 'ALLOW' | 'CHALLENGE' | 'BLOCK',
  rules: readonly string[] = [],
): BacktestOutcome => ({
  kind: 'judged',
  verdict,
  degraded: verdict === 'CHALLENGE',
  rules,
});
const group = (changes: Partial<BacktestGroup> = {}): BacktestGroup => ({
  verdict: 'ALLOW',
  rules: [],
  caller: 'shop',
  action: 'login',
  hourMs: HOUR_MS,
  label: null,
  outcome: judged('ALLOW'),
  ...changes,
});

const GROUPS: readonly (readonly [BacktestGroup, number])[] = [
  [group(), 5],
  [group({ outcome: judged('BLOCK', ['one', 'two:unknown']), rules: ['one'], label: 'fraud' }), 3],
  [group({ verdict: 'BLOCK', rules: ['one'], action: null, label: 'legit', hourMs: 2 * HOUR_MS }), 2],
  [group({ verdict: 'BLOCK', outcome: judged('CHALLENGE'), caller: 'bank', label: 'challenge_failed' }), 4],
  [group({ outcome: { kind: 'not_replayable', why: 'request.ip was not recorded' } }), 7],
];

function tallyOf(groups: typeof GROUPS) {
  const tally = createTally();
  for (const [each, count] of groups) addGroup(tally, each, count);
  return tally;
}

t.test('counts transitions, rules, and what decisions have in common', async (t) => {
  const report = toReport(tallyOf(GROUPS), null);
  t.match(report, {
    decisions: 21,
    judged: 14,
    notReplayable: [{ reason: 'request.ip was not recorded', count: 7 }],
    degraded: 4,
    changes: { decisions: 14, changed: 9, stricter: 3, milder: 6 },
    callers: [
      { caller: 'shop', decisions: 10, stricter: 3, milder: 2 },
      { caller: 'bank', decisions: 4, stricter: 0, milder: 4 },
    ],
    actions: [
      { action: 'login', changed: 7 },
      { action: '(none)', changed: 2 },
    ],
    hours: [
      { hourMs: HOUR_MS, decisions: 12 },
      { hourMs: 2 * HOUR_MS, decisions: 2 },
    ],
  });
  t.same(
    report.transitions.map(({ from, to, count }) => [from, to, count]),
    [
      ['ALLOW', 'ALLOW', 5],
      ['ALLOW', 'BLOCK', 3],
      ['BLOCK', 'ALLOW', 2],
      ['BLOCK', 'CHALLENGE', 4],
    ],
  );
  t.same(report.rules, [
    { rule: 'two:unknown', before: 0, after: 3, gained: 3, lost: 0 },
    { rule: 'one', before: 5, after: 3, gained: 0, lost: 2 },
  ]);
});

t.test('puts what changes as much in the order of the names', async (t) => {
  const groups = ['b', 'a', 'c'].map(
    (name) => [group({ caller: name, rules: [`rule-${name}`] }), 1] as const,
  );
  const more = [group({ caller: 'd', rules: ['rule-d', 'rule-c'] }), 4] as const;
  const report = toReport(tallyOf([...groups, more]), null);
  t.same(
    report.callers.map(({ caller }) => caller),
    ['d', 'a', 'b', 'c'],
  );
  t.same(
    report.rules.map(({ rule }) => rule),
    ['rule-c', 'rule-d', 'rule-a', 'rule-b'],
  );
});

t.test('measures labelled decisions, with costs where they are given', async (t) => {
  const costs = {
    fraud: { ALLOW: 100 },
    challenge_failed: { ALLOW: 10, CHALLENGE: 1 },
    legit: { BLOCK: 20 },
  };
  const { labelled } = toReport(tallyOf(GROUPS), costs);
  t.same(
    labelled?.labels.map(({ label }) => label),
    ['legit', 'fraud', 'challenge_failed'],
  );
  t.match(labelled?.labels[1], { before: { ALLOW: 3, BLOCK: 0 }, after: { ALLOW: 0, BLOCK: 3 } });
  t.same(labelled?.before, {
    blocked: { precision: 4 / 6, recall: 4 / 7 },
    challenged: { precision: 4 / 6, recall: 4 / 7 },
    cost: 340,
  });
  t.same(labelled?.after, {
    blocked: { precision: 1, recall: 3 / 7 },
    challenged: { precision: 1, recall: 1 },
    cost: 4,
  });
  const none = toReport(tallyOf([[group({ label: 'abandoned' }), 1]]), null).labelled;
  t.same(none?.before, {
    blocked: { precision: null, recall: null },
    challenged: { precision: null, recall: null },
    cost: null,
  });
  t.equal(toReport(tallyOf(GROUPS.slice(0, 1)), costs).labelled, null);
});

t.test('shows the accounts that change most, and the latest decisions of each change', async (t) => {
  const tally = createTally();
  for (let n = 10; n < 40; n += 1)
    addChanged(tally, { id: `id-${n}`, account: n < 35 ? 'a' : 'b', from: 'ALLOW', to: 'BLOCK' });
  addChanged(tally, { id: 'id-99', account: null, from: 'BLOCK', to: 'ALLOW' });
  addChanged(tally, { id: 'id-98', account: 'b', from: 'BLOCK', to: 'ALLOW' });
  addGroup(tally, group({ outcome: judged('BLOCK') }), 30);
  const report = toReport(tally, null);
  t.same(report.accounts, [
    { account: 'a', stricter: 25, milder: 0 },
    { account: 'b', stricter: 5, milder: 1 },
  ]);
  const latest = Array.from({ length: 10 }, (_, n) => `id-${39 - n}`);
  t.match(report.transitions, [{ from: 'ALLOW', to: 'BLOCK', samples: latest }]);
  for (let n = 0; n < 25; n += 1)
    addChanged(tally, { id: 'id-00', account: `c${n}`, from: 'ALLOW', to: 'BLOCK' });
  t.equal(toReport(tally, null).accounts.length, 20);
});

t.test('comes to the same in parts that are put together', async (t) => {
  const whole = tallyOf(GROUPS);
  const parts = [tallyOf(GROUPS.slice(0, 2)), tallyOf(GROUPS.slice(2))];
  const changes = ['a', 'b', 'a'].map(
    (account, n) => ({ id: `i${n}`, account, from: 'ALLOW', to: 'BLOCK' }) as const,
  );
  for (const each of changes) addChanged(whole, each);
  for (const [place, each] of changes.entries()) addChanged(parts[place % 2] ?? whole, each);
  const merged = createTally();
  for (const part of parts) mergeTallies(merged, structuredClone(part));
  t.same(toReport(merged, null), toReport(whole, null));
});

t.test('keeps names, reasons and accounts within bounds', async (t) => {
  const tally = createTally();
  for (let n = 0; n < 1_200; n += 1) {
    addGroup(tally, group({ action: `a${n}`, rules: [`r${n}`] }), 1);
    addGroup(tally, group({ outcome: { kind: 'not_replayable', why: `w${n}` } }), 1);
  }
  t.equal(tally.actions.size, 1_001);
  t.equal(tally.rules.size, 1_001);
  t.match(tally.rules.get('(others)'), { before: 200, lost: 200 });
  t.equal(tally.notReplayable.size, 101);
  t.equal(tally.notReplayable.get('(others)'), 1_100);
  const changed = { id: 'i', from: 'ALLOW', to: 'BLOCK' } as const;
  for (let n = 0; n < 3; n += 1) addChanged(tally, { ...changed, account: 'often' });
  for (let n = 0; n < 100_000; n += 1) addChanged(tally, { ...changed, account: `n${n}` });
  t.ok(tally.accounts.size <= 50_000, `${tally.accounts.size} accounts`);
  t.equal(tally.accountsLeftOut, 1);
  t.same(tally.accounts.get('often'), [3, 0]);
  const into = createTally();
  mergeTallies(into, tally);
  t.equal(into.accountsLeftOut, 1);
});
