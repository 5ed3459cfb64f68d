import t from 'tap';
import { type AlertSources, readAlert } from '../../../src/application/alerts/read-alert.ts';
import { createRecentCounts } from '../../../src/application/alerts/recent-counts.ts';
import type { StatsWindow } from '../../../src/application/decision-log/plan-window.ts';
import { GroupedCounts } from '../../../src/domain/decision-log/grouped-counts.ts';
import { createManualClock } from '../../support/test-app.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A quarter past an hour. */
const NOW_MS = Date.UTC(2026, 5, 15, 12, 15);
const COMMON = { name: 'a', severity: 'info' } as const;

type Counted = Readonly<Record<string, number>>;

/** A log in which `countsAt` says what is counted in a step. */
function createCounts(countsAt: (startMs: number, window: StatsWindow) => Counted) {
  const windows: StatsWindow[] = [];
  const latencyMs = { p50: null, p95: null, p99: null };
  return {
    windows,
    minutesKeptMs: DAY_MS,
    countSteps: async (window: StatsWindow) => {
      windows.push(window);
      const all = new GroupedCounts();
      const length = (window.untilMs - window.sinceMs) / window.stepMs;
      const steps = Array.from({ length }, (_, place) => {
        const counts = new GroupedCounts();
        counts.add(new Map(Object.entries(countsAt(window.sinceMs + place * window.stepMs, window))));
        all.addAll(counts);
        return { counts, latencyMs };
      });
      return { steps, all: { counts: all, latencyMs }, version: null };
    },
  };
}

const sourcesOf = (changes: Partial<AlertSources> = {}): AlertSources => ({
  counts: null,
  providers: () => [
    { id: 'stytch', isOpen: true, isSuspect: false },
    { id: 'prefactor', isOpen: false, isSuspect: true },
  ],
  isPolicyCurrent: () => true,
  recordsDropped: () => 7,
  listChanges: (_windowMs, list) => (list === 'block' ? 2 : 5),
  takenBack: (sinceMs) => (sinceMs === NOW_MS - 60_000 ? 1 : 0),
  ...changes,
});

t.test('reads shares of the decisions of the window', async (t) => {
  const counts = createCounts(() => ({
    'decision:ALLOW': 2,
    'decision:CHALLENGE': 1,
    'decision:BLOCK': 1,
    'degraded:true': 3,
  }));
  const sources = sourcesOf({ counts });
  const read = (when: 'block_rate' | 'challenge_rate' | 'degraded_share') =>
    readAlert({ ...COMMON, when, above: 0.5, window: 10 * 60_000, minimum: 1 }, sources, NOW_MS);
  t.match(await read('block_rate'), { value: 0.25, n: 40, isOver: false });
  t.match(await read('challenge_rate'), { value: 0.25 });
  t.match(await read('degraded_share'), { value: 0.75, isOver: true });
  t.match(counts.windows[0], { untilMs: NOW_MS + 60_000, sinceMs: NOW_MS - 9 * 60_000 });
  const none = sourcesOf({ counts: createCounts(() => ({})) });
  const rule = { ...COMMON, when: 'block_rate', above: 0.5, window: 60_000, minimum: 1 } as const;
  t.same(await readAlert(rule, none, NOW_MS), { kind: 'too_few', n: 0 });
});

t.test('reads a spike against the same sixty minutes of seven days', async (t) => {
  const asked = new Set<number>();
  const counts = createCounts((startMs, { period }) => {
    if (period !== 'hour') return { 'decision:BLOCK': 10, 'rule:FORGED': 1, 'rule:LATE:unknown': 2 };
    asked.add(startMs);
    // The hour before 12:00 has 8, that after it 16: three quarters of one and a quarter of the other.
    const hour = new Date(startMs).getUTCHours();
    if (hour === 11) return { 'decision:ALLOW': 1, 'rule:FORGED': 8 };
    return hour === 12
      ? { 'decision:ALLOW': 1, 'rule:FORGED': 16 }
      : { 'decision:ALLOW': 1, 'rule:FORGED': 999 };
  });
  const rule = { ...COMMON, when: 'rule_spike', times: 3, minimum: 10 } as const;
  const reading = await readAlert(rule, sourcesOf({ counts }), NOW_MS);
  t.match(reading, { isOver: true, about: 'FORGED', n: 60, value: 60 / 10 });
  const hours = [...asked].sort((left, right) => left - right);
  t.equal(hours[0], Date.UTC(2026, 5, 8, 11), 'from seven days ago');
  t.equal(hours.at(-1), Date.UTC(2026, 5, 14, 12), 'to one day ago');
  const young = createCounts(
    (startMs, { period }): Counted =>
      period === 'hour' && startMs < NOW_MS - 3 * DAY_MS ? {} : { 'decision:ALLOW': 1, 'rule:FORGED': 60 },
  );
  t.same(await readAlert(rule, sourcesOf({ counts: young }), NOW_MS), { kind: 'unknown', why: 'no_history' });
});

t.test('says that it cannot be read, and never that all is well', async (t) => {
  const away = {
    minutesKeptMs: DAY_MS,
    countSteps: () => Promise.reject(new Error('away')),
  };
  const share = { ...COMMON, when: 'block_rate', above: 0.5, window: 60_000, minimum: 1 } as const;
  const spike = { ...COMMON, when: 'rule_spike', times: 3, minimum: 10 } as const;
  for (const rule of [share, spike]) {
    t.same(await readAlert(rule, sourcesOf({ counts: away }), NOW_MS), {
      kind: 'unknown',
      why: 'unreadable',
    });
    t.same(await readAlert(rule, sourcesOf(), NOW_MS), { kind: 'unknown', why: 'no_log' });
  }
  const brief = sourcesOf({ counts: { ...createCounts(() => ({})), minutesKeptMs: 0 } });
  t.same(
    await readAlert(share, brief, NOW_MS),
    { kind: 'unknown', why: 'unreadable' },
    'no minutes are kept',
  );
  const nothing = sourcesOf({ recordsDropped: () => null, listChanges: () => null });
  for (const when of ['log_dropping', 'list_changed'] as const)
    t.same(await readAlert({ ...COMMON, when, above: 0, window: 60_000 }, nothing, NOW_MS), {
      kind: 'unknown',
      why: 'no_log',
    });
});

t.test('reads what this process knows', async (t) => {
  const read = (rule: object, sources = sourcesOf()) =>
    readAlert({ ...COMMON, ...rule } as Parameters<typeof readAlert>[0], sources, NOW_MS);
  t.match(await read({ when: 'provider_open' }), { isOver: true, about: 'stytch' });
  t.match(await read({ when: 'provider_suspect' }), { isOver: true, about: 'prefactor' });
  t.match(await read({ when: 'provider_open', provider: 'prefactor' }), { isOver: false });
  for (const when of ['provider_open', 'provider_suspect'])
    t.same(await read({ when, provider: 'misspelt' }), { kind: 'unknown', why: 'no_provider' });
  t.match(await read({ when: 'policy_refused' }), { isOver: false });
  t.match(await read({ when: 'policy_refused' }, sourcesOf({ isPolicyCurrent: () => false })), {
    isOver: true,
  });
  t.match(await read({ when: 'log_dropping', window: 60_000, above: 6 }), { isOver: true, value: 7 });
  t.match(await read({ when: 'list_changed', window: 60_000, above: 2, list: 'block' }), { isOver: false });
  t.match(await read({ when: 'list_changed', window: 60_000, above: 2 }), { isOver: true, value: 5 });
  const rolledBack = { when: 'policy_rolled_back', window: 60_000, above: 0 };
  t.match(await read(rolledBack), { isOver: true, value: 1 });
  t.match(await read({ ...rolledBack, window: 120_000 }), { isOver: false, value: 0 });
  t.same(await read(rolledBack, sourcesOf({ takenBack: () => null })), {
    kind: 'unknown',
    why: 'not_agreed',
  });
});

t.test('counts what happened lately, and forgets it', async (t) => {
  const clock = createManualClock();
  const counts = createRecentCounts(clock);
  counts.add('block', 2);
  clock.advance(60_000);
  counts.add('block', 1);
  counts.add('allow', 4);
  t.same([counts.within(60_000), counts.within(120_000), counts.within(120_000, 'block')], [5, 7, 3]);
  for (let serial = 0; serial < 2_000; serial += 1) counts.add(`list-${serial}`, 1);
  t.equal(counts.within(60_000), 2_005, 'however many names there are');
  t.equal(counts.within(60_000, 'list-1999'), 0);
  clock.advance(DAY_MS + 120_000);
  counts.add('block', 1);
  t.equal(counts.within(10 * DAY_MS), 1);
});
