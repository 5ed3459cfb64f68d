import t from 'tap';
import { type AlertClaims, SETTLE_MS } from '../../../src/application/alerts/alert-claims.ts';
import { createAlerts } from '../../../src/application/alerts/alerts.ts';
import type { AlertRule } from '../../../src/domain/alerts/alert-rule.ts';
import { createMemoryAlertClaims } from '../../../src/stores/alerts/memory-claims.ts';
import { createManualClock } from '../../support/test-app.ts';

const LISTS: AlertRule = {
  name: 'lists',
  when: 'list_changed',
  above: 0,
  window: 60_000,
  severity: 'critical',
};

function open(claims?: AlertClaims) {
  const clock = createManualClock(0);
  const told: unknown[] = [];
  const changes: string[] = [];
  let value: number | null = 0;
  let rules: readonly AlertRule[] = [{ ...LISTS, description: 'somebody changes lists' }];
  const alerts = createAlerts({
    rules: () => rules,
    sources: {
      counts: null,
      providers: () => [],
      isPolicyCurrent: () => true,
      recordsDropped: () => null,
      takenBack: () => null,
      listChanges: () => value,
    },
    claims: claims ?? createMemoryAlertClaims(clock),
    clock,
    formatTime: (ms) => `at ${ms}`,
    tell: (message) => told.push(message),
    onChange: ({ rule }, change) => changes.push(`${rule.name} ${change}`),
  });
  const read = async (next: number | null) => {
    value = next;
    clock.advance(1_000);
    await alerts.read();
    return alerts.all()[0]?.state?.state;
  };
  return { alerts, clock, told, changes, read, setRules: (next: readonly AlertRule[]) => (rules = next) };
}

t.test('tells that it fires and that it is over, once each', async (t) => {
  const { alerts, told, changes, read } = open();
  t.same(alerts.all(), [{ rule: { ...LISTS, description: 'somebody changes lists' }, state: null }]);
  t.equal(alerts.readAtMs(), null);
  for (const value of [0, 3, 3, null, 0, 0]) await read(value);
  t.equal(alerts.readAtMs(), 6_000);
  const common = {
    alert: 'lists',
    when: 'list_changed',
    severity: 'critical',
    fired_at: 'at 2000',
    threshold: 0,
  };
  t.match(told, [
    {
      type: 'alert.firing',
      data: { ...common, value: 3, n: null, about: null, description: 'somebody changes lists' },
    },
    { type: 'alert.resolved', data: { ...common, value: 0 } },
  ]);
  t.equal(told.length, 2);
  t.same(changes, ['lists firing', 'lists unknown', 'lists resolved']);
});

t.test('reminds once a day', async (t) => {
  const { told, read, clock } = open();
  await read(1);
  clock.advance(3_600_000);
  await read(1);
  t.equal(told.length, 1);
  clock.advance(86_400_000);
  await read(1);
  t.equal(told.length, 2);
  clock.advance(86_400_000);
  await read(null);
  t.match(told[2], {
    type: 'alert.firing',
    data: { value: null, n: null, about: null, fired_at: 'at 1000' },
  });
});

t.test('tells a change when nobody can be asked who tells, and no reminder', async (t) => {
  const { told, read } = open({ claim: async () => null });
  for (const value of [1, 1, 1, 0, 0]) await read(value);
  t.match(told, [{ type: 'alert.firing' }, { type: 'alert.resolved' }]);
  t.equal(told.length, 2);
});

t.test('leaves it to another replica', async (t) => {
  const { told, read, changes } = open({ claim: async () => false });
  for (const value of [1, 0]) await read(value);
  t.same(told, []);
  t.same(changes, ['lists firing', 'lists resolved'], 'and knows it all the same');
});

t.test('begins a rule anew that was changed, and forgets one that is gone', async (t) => {
  const { alerts, read, setRules } = open();
  t.equal(await read(1), 'firing');
  setRules([{ ...LISTS, above: 9 }]);
  t.equal(alerts.all()[0]?.state, null);
  t.equal(await read(1), 'ok');
  setRules([]);
  t.equal(await read(1), undefined);
});

t.test('tells the end of what an earlier process told, so that it can be told anew', async (t) => {
  const clock = createManualClock(0);
  let isRedisThere = true;
  const shared = createMemoryAlertClaims(clock);
  const claims: AlertClaims = {
    claim: async (...asked) => (isRedisThere ? shared.claim(...asked) : null),
  };
  await open(claims).read(1);
  const { told, read, clock: own } = open(claims);
  const later = async (value: number) => {
    for (const each of [clock, own]) each.advance(SETTLE_MS);
    await read(value);
  };
  await read(0);
  t.same(told, [], 'another replica may be ahead');
  isRedisThere = false;
  await later(0);
  t.same(told, [], 'nobody knows whether it was told');
  isRedisThere = true;
  for (const value of [0, 0, 1]) await later(value);
  t.match(told, [{ type: 'alert.resolved', data: { fired_at: null, value: 0 } }, { type: 'alert.firing' }]);
  t.equal(told.length, 2);
});

t.test('reads once at a time', async (t) => {
  const { alerts } = open();
  t.equal(alerts.read(), alerts.read());
});
