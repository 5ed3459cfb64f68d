import t from 'tap';
import { alertsDocumentSchema, forMsOf } from '../../../src/domain/alerts/alert-rule.ts';
import {
  type HourCounts,
  judgeCount,
  judgeShare,
  judgeSpike,
  judgeStates,
  thresholdOf,
} from '../../../src/domain/alerts/reading.ts';

const share = (when: 'block_rate' | 'challenge_rate' | 'degraded_share', above = 0.1) =>
  ({ name: 'a', when, above, window: 60_000, minimum: 10, severity: 'info' }) as const;
const spike = (rule?: string) =>
  ({
    name: 'a',
    when: 'rule_spike',
    times: 3,
    minimum: 10,
    severity: 'info',
    ...(rule && { rule }),
  }) as const;
const count = { name: 'a', when: 'list_changed', above: 2, window: 60_000, severity: 'info' } as const;
const hour = (total: number, fired: Readonly<Record<string, number>>): HourCounts => ({
  total,
  fired: new Map(Object.entries(fired)),
});

t.test('judges each share by its own part of the decisions, above and not at the threshold', async (t) => {
  const counts = { total: 100, blocked: 10, challenged: 11, degraded: 12 };
  t.same(judgeShare(share('block_rate'), counts), {
    kind: 'measured',
    isOver: false,
    value: 0.1,
    n: 100,
    about: null,
  });
  t.match(judgeShare(share('challenge_rate'), counts), { isOver: true, value: 0.11 });
  t.match(judgeShare(share('degraded_share'), counts), { isOver: true, value: 0.12 });
  t.same(judgeShare(share('block_rate'), { ...counts, total: 9 }), { kind: 'too_few', n: 9 });
});

t.test('compares rules with the same hour of other days, and names the one that rose most', async (t) => {
  const days = [hour(50, { A: 10, B: 4 }), hour(50, { A: 20 }), hour(0, {}), hour(50, { A: 30 })];
  const current = hour(90, { A: 40, B: 30, NEW: 31, RARE: 9 });
  t.match(judgeSpike(spike(), current, days), { isOver: true, about: 'NEW', value: 31, n: 31 });
  t.match(judgeSpike(spike('B'), current, days), { isOver: true, about: 'B', value: 30 / (4 / 3) });
  t.match(judgeSpike(spike('A'), current, days), { isOver: false, about: 'A', value: 2 });
  t.same(judgeSpike(spike('RARE'), current, days), {
    kind: 'measured',
    isOver: false,
    value: 0,
    n: null,
    about: 'RARE',
  });
  t.match(judgeSpike(spike('NONE'), current, days), { isOver: false });
  t.match(judgeSpike(spike(), hour(9, {}), days), { isOver: false, about: null });
  t.same(judgeSpike(spike(), hour(0, {}), days), { kind: 'too_few', n: 0 }, 'nothing is not fine');
  t.same(judgeSpike(spike(), current, days.slice(0, 3)), { kind: 'unknown', why: 'no_history' });
});

t.test('judges what is so, and what happened too often', async (t) => {
  t.match(judgeStates([]), { isOver: false, value: 0, about: null });
  t.match(judgeStates(['stytch', 'prefactor']), { isOver: true, value: 2, about: 'stytch, prefactor' });
  t.match(judgeCount(count, 2), { isOver: false, about: null });
  t.match(judgeCount({ ...count, list: 'block' }, 3), { isOver: true, value: 3, about: 'block' });
});

t.test('says what a value is compared with', async (t) => {
  t.equal(thresholdOf(share('block_rate', 0.2)), 0.2);
  t.equal(thresholdOf(spike()), 3);
  t.equal(thresholdOf(count), 2);
  t.equal(thresholdOf({ name: 'a', when: 'policy_refused', severity: 'info' }), null);
});

t.test('reads times as milliseconds, and fills in what is left out', async (t) => {
  const { alerts } = alertsDocumentSchema.parse({
    alerts: {
      blocks: { when: 'block_rate', above: 0.2, window: '2h', for: '5m' },
      spikes: { when: 'rule_spike' },
      lists: { when: 'list_changed', window: '1d', list: 'block' },
    },
  });
  t.match(alerts['blocks'], { window: 7_200_000, for: 300_000, minimum: 100, severity: 'warning' });
  t.match(alerts['spikes'], { times: 3, minimum: 30 });
  t.match(alerts['lists'], { above: 0, window: 86_400_000 });
  t.same([forMsOf({ for: 300_000 }), forMsOf({})], [300_000, 0]);
});

t.test('refuses what no rule can mean', async (t) => {
  for (const [rule, why] of [
    [{ when: 'block_rate', above: 1, window: '5m' }, 'a share below 1'],
    [{ when: 'block_rate', above: 0.1, window: '2d' }, '1m to 1d'],
    [{ when: 'block_rate', above: 0.1, window: '0m' }, '1m to 1d'],
    [{ when: 'block_rate', above: 0.1, window: '5' }, 'a time such as'],
    [{ when: 'block_rate', above: 0.1 }, 'string'],
    [{ when: 'rule_spike', times: 1 }, 'above 1'],
    [{ when: 'log_dropping', window: '5m', list: 'x' }, 'is for list_changed'],
    [{ when: 'policy_rolled_back', window: '5m', list: 'x' }, 'is for list_changed'],
    [{ when: 'policy_refused', above: 1 }, 'Unrecognized key'],
    [{ when: 'nothing' }, 'Invalid'],
  ] as const) {
    const parsed = alertsDocumentSchema.safeParse({ alerts: { a: rule } });
    t.match(parsed.error?.issues.map(({ message }) => message).join(), why, JSON.stringify(rule));
  }
  const many = Object.fromEntries(
    Array.from({ length: 101 }, (_, at) => [`a${at}`, { when: 'policy_refused' }]),
  );
  t.notOk(alertsDocumentSchema.safeParse({ alerts: many }).success);
  t.notOk(alertsDocumentSchema.safeParse({ alerts: { 'A b': { when: 'policy_refused' } } }).success);
});
