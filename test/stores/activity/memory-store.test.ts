import t from 'tap';
import type { ActivityEntity } from '../../../src/application/activity/activity-store.ts';
import { createMemoryActivityStore } from '../../../src/stores/activity/memory-store.ts';
import { createManualClock } from '../../support/test-app.ts';

const DAY_MS = 86_400_000;
const NOTHING = { values: [], acceptance: null, measures: [] } as const;

function deviceOf(number: number): ActivityEntity {
  return { part: 'device', hash: number.toString(16).padStart(32, '0').split('').reverse().join('') };
}

function open(entriesMax: number) {
  const clock = createManualClock(1_800_000_000_000);
  let full = 0;
  const onFull = () => {
    full += 1;
  };
  const store = createMemoryActivityStore({ clock, entriesMax, onFull });
  const sinceOf = (number: number) => store.take({ entity: deviceOf(number), ...NOTHING }).sinceSeconds;
  return { clock, store, sinceOf, full: () => full };
}

t.test('does not know what had to make room, up to its last activity', async (t) => {
  const { clock, sinceOf, full } = open(2);
  const began = clock.nowMs() / 1000;
  t.same([sinceOf(1), sinceOf(2)], [0, 0]);
  clock.advance(60_000);
  t.equal(sinceOf(3), 0);
  t.equal(full(), 1);
  clock.advance(60_000);
  t.equal(sinceOf(1), began, 'nothing was missed that came later');
  t.equal(sinceOf(3), 0, 'which is still there');
  clock.advance(60_000);
  t.equal(sinceOf(4), 0, 'one that was never there has missed nothing');
  t.equal(sinceOf(1), began + 120, 'now that a later one had to make room');
});

t.test('takes what made room longer ago than a life for new', async (t) => {
  const { clock, sinceOf, full } = open(1);
  t.same([sinceOf(1), sinceOf(2)], [0, 0]);
  clock.advance(30 * DAY_MS + 1);
  t.equal(sinceOf(1), 0);
  t.equal(full(), 1, 'and what it replaced had run out');
});

t.test('ends a life after 30 days of silence', async (t) => {
  const { clock, store } = open(10);
  const firstOf = () => store.take({ entity: deviceOf(1), ...NOTHING }).state.firstSeconds;
  const began = firstOf();
  clock.advance(29 * DAY_MS);
  t.equal(firstOf(), began);
  clock.advance(29 * DAY_MS);
  t.equal(firstOf(), began);
  clock.advance(31 * DAY_MS);
  t.equal(firstOf(), began + 89 * 86_400);
});

t.test('remembers what was counted for a day, and what may not have been for seconds', async (t) => {
  const { clock, store } = open(10);
  t.same(store.claim(['a']), ['new']);
  clock.advance(9_000);
  t.same(store.claim(['a']), ['open']);
  clock.advance(1_000);
  t.same(store.claim(['a']), ['new']);
  store.settle(['a']);
  clock.advance(DAY_MS - 1_000);
  t.same(store.claim(['a']), ['done']);
  clock.advance(2_000);
  t.same(store.claim(['a']), ['new']);
});
