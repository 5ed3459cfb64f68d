import fc from 'fast-check';
import t from 'tap';
import { DISTINCT_MAX, SEEN_KINDS, WINDOW_SECONDS_MAX } from '../../../src/domain/activity/activity-parts.ts';
import {
  type Acceptance,
  acceptedOf,
  COUNT_STEPS,
  count,
  countAfter,
  createActivityState,
  distinctAfter,
  findValue,
  hasGap,
  REVOKED,
  see,
  valuesOf,
} from '../../../src/domain/activity/activity-state.ts';

const NOW = 1_800_000_000;
const RUNS = { numRuns: 60, seed: 20261130 };
const WINDOWS = [60, 600, 3_600, 86_400, 604_800, WINDOW_SECONDS_MAX];

t.test('keeps times as exactly as it says', async (t) => {
  let before: number = COUNT_STEPS[0].step;
  for (const { age, step } of COUNT_STEPS) {
    t.ok(step * 10 <= age, `${step} is at most a tenth of ${age}`);
    t.equal(step % before, 0, 'steps fit into each other');
    before = step;
  }
  t.same(
    COUNT_STEPS.map(({ age }) => age),
    WINDOWS,
  );
});

t.test('never misses what a window holds, and adds at most a tenth of it before', async (t) => {
  const gaps = fc.array(fc.constantFrom(0, 1, 7, 45, 400, 2_900, 20_000, 90_000), {
    minLength: 60,
    maxLength: 400,
  });
  let longest = 0;
  fc.assert(
    fc.property(gaps, (list) => {
      const state = createActivityState(NOW, 0);
      let now = NOW;
      const times: number[] = [];
      for (const gap of list) {
        now += gap;
        times.push(now);
        count(state, times.length % 2, now);
      }
      longest = Math.max(longest, state.counts.length / 3);
      return WINDOWS.every((window) => {
        const within = (length: number) => times.filter((time) => time > now - length).length;
        const found = countAfter(state, 0, now - window) + countAfter(state, 1, now - window);
        return found >= within(window) && found <= within(1.1 * window);
      });
    }),
    RUNS,
  );
  t.ok(longest < 200, `at most ${longest} records`);
});

t.test('counts what comes late where it belongs', async (t) => {
  const state = createActivityState(NOW, 0);
  for (let turn = 0; turn < 60; turn += 1) {
    count(state, 0, NOW + turn * 100);
    count(state, 0, NOW + turn * 100 - 50);
  }
  t.equal(countAfter(state, 0, NOW - 100), 120);
  t.ok(state.counts.length < 120 * 3, 'put together');
});

t.test('lets values make room, and forgets that when no window would hold them', async (t) => {
  const state = createActivityState(NOW, 0);
  for (let number = 0; number < DISTINCT_MAX; number += 1) see(state, 1, number + 1, NOW + number, null);
  t.notOk(hasGap(state, 1, NOW + 100));
  for (let number = 100; number < 105; number += 1) see(state, 1, number, NOW + number, null);
  t.equal(distinctAfter(state, 1, 0), DISTINCT_MAX);
  t.same(
    [1, 5, 6, 104].map((name) => findValue(state, 1, name) === -1),
    [true, true, false, false],
  );
  t.ok(hasGap(state, 1, NOW + WINDOW_SECONDS_MAX + 3));
  t.notOk(hasGap(state, 1, NOW + WINDOW_SECONDS_MAX + 4));
  t.equal(valuesOf(state, 1).length, (DISTINCT_MAX + 1) * 4);
});

t.test('notes no gap for what no window would hold', async (t) => {
  const state = createActivityState(NOW, 0);
  for (let number = 0; number < DISTINCT_MAX; number += 1) see(state, 1, number + 1, NOW, null);
  see(state, 1, 999, NOW + WINDOW_SECONDS_MAX, null);
  t.notOk(hasGap(state, 1, NOW + WINDOW_SECONDS_MAX));
  t.equal(distinctAfter(state, 1, NOW), 1);
});

t.test('forgets what is older than every window when it puts counts together', async (t) => {
  const state = createActivityState(NOW, 0);
  for (let turn = 0; turn < 30; turn += 1) count(state, 0, NOW + turn * 10);
  for (let turn = 0; turn < 30; turn += 1) count(state, 0, NOW + WINDOW_SECONDS_MAX + 1_000 + turn * 10);
  t.equal(countAfter(state, 0, 0), 30);
});

t.test('accepts a value that it knows, and takes that back', async (t) => {
  const state = createActivityState(NOW, 0);
  const acceptedAfter = (now: number, acceptance: Acceptance) => {
    see(state, 1, 7, now, acceptance);
    return acceptedOf(state, findValue(state, 1, 7));
  };
  t.equal(acceptedAfter(NOW, null), 0);
  t.equal(acceptedAfter(NOW + 1, 'accepted'), NOW + 1);
  t.equal(acceptedAfter(NOW + 2, null), NOW + 1, 'it stays accepted');
  t.equal(acceptedAfter(NOW + 3, 'revoked'), REVOKED);
});

t.test('takes back what it keeps, and of places nothing that it does not', async (t) => {
  const [devices, places] = [SEEN_KINDS.indexOf('devices'), SEEN_KINDS.indexOf('places')];
  const state = createActivityState(NOW, 0);
  for (const kind of [devices, places]) see(state, kind, 5, NOW, 'revoked');
  t.same(valuesOf(state, devices), [5, NOW, NOW, REVOKED]);
  t.same(valuesOf(state, places), []);
  see(state, places, 5, NOW, 'accepted');
  see(state, places, 5, NOW + 1, 'revoked');
  t.same(valuesOf(state, places), [5, NOW, NOW + 1, REVOKED]);
});
