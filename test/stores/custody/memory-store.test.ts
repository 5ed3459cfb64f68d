import { hash } from 'node:crypto';
import t from 'tap';
import { createMemoryCustodyStore } from '../../../src/stores/custody/memory-store.ts';
import { createManualClock } from '../../support/test-app.ts';

const RETENTION_MS = 60_000;
const DAY_MS = 86_400_000;
const BRIEF_LIFE_MS = 600_000;

/** A key as the service makes them: 32 hex digits. */
function keyOf(index: number): string {
  return hash('sha256', String(index)).slice(0, 32);
}

function open(entriesMax?: number, retentionMs = RETENTION_MS) {
  const clock = createManualClock();
  let timesFull = 0;
  const onFull = () => (timesFull += 1);
  const size = entriesMax === undefined ? {} : { entriesMax };
  const store = createMemoryCustodyStore({ clock, retentionMs, ...size, onFull });
  return { clock, store, timesFull: () => timesFull };
}

t.test('answers in place', async (t) => {
  const { store } = open();
  t.match(store.use([{ key: keyOf(1), user: {} }]), { uses: 1 });
});

t.test('forgets a binding when its time is over, and not a millisecond earlier', async (t) => {
  const { clock, store } = open();
  store.use([{ key: keyOf(1), user: { account: 'h1' } }]);
  clock.advance(RETENTION_MS - 1);
  t.match(store.use([{ key: keyOf(1), user: { account: 'h2' } }]), { uses: 2, isBoundElsewhere: true });
  clock.advance(RETENTION_MS);
  t.match(store.use([{ key: keyOf(1), user: { account: 'h2' } }]), { uses: 1, isBoundElsewhere: false });
});

t.test('never takes an id for new whose binding had to make room', async (t) => {
  const { clock, store, timesFull } = open(100);
  for (let index = 0; index < 150; index += 1) store.use([{ key: keyOf(index), user: { account: 'h1' } }]);
  for (let index = 0; index < 50; index += 1) {
    t.equal(store.use([{ key: keyOf(index), user: { account: 'h2' } }]), null, `${index} is unknown`);
    t.equal(store.use([{ key: keyOf(index), user: { account: 'h2' } }]), null, 'and remains so');
  }
  for (let index = 50; index < 150; index += 1)
    t.match(store.use([{ key: keyOf(index), user: {} }]), { uses: 2 });
  t.match(store.use([{ key: keyOf(1_000), user: {} }]), { uses: 1 }, 'one that was never here is new');
  t.equal(timesFull(), 1, 'and it was said once that there is no room');
  clock.advance(RETENTION_MS);
  t.match(store.use([{ key: keyOf(0), user: {} }]), { uses: 1 }, 'until it would have run out anyway');
});

t.test('remembers what made room for as long as the telemetry id lives', async (t) => {
  const { clock, store } = open(1);
  store.use([{ key: keyOf(1), user: {} }]);
  store.keep([keyOf(1)], clock.nowMs() + 10 * RETENTION_MS);
  store.use([{ key: keyOf(2), user: {} }]);
  clock.advance(9 * RETENTION_MS);
  t.equal(store.use([{ key: keyOf(1), user: {} }]), null);
  clock.advance(RETENTION_MS);
  t.match(store.use([{ key: keyOf(1), user: {} }]), { uses: 1 });
});

t.test('lets what nobody asked to keep run out in its own time, whatever else made room', async (t) => {
  const { clock, store } = open(1, DAY_MS);
  store.use([{ key: keyOf(1), user: {} }]);
  store.keep([keyOf(1)], null);
  for (const forged of [2, 3]) store.use([{ key: keyOf(forged), user: {} }]);
  t.equal(store.use([{ key: keyOf(2), user: {} }]), null);
  clock.advance(BRIEF_LIFE_MS);
  t.equal(store.use([{ key: keyOf(1), user: {} }]), null, 'the kept one stays unknown');
  t.match(store.use([{ key: keyOf(2), user: {} }]), { uses: 1 });
});

t.test('remembers for its whole life what made room before it was to be kept', async (t) => {
  const { clock, store } = open(1, DAY_MS);
  store.use([{ key: keyOf(1), user: {} }]);
  store.use([{ key: keyOf(2), user: {} }]);
  store.keep([keyOf(1)], null);
  clock.advance(DAY_MS - 1);
  t.equal(store.use([{ key: keyOf(1), user: {} }]), null);
  clock.advance(1);
  t.match(store.use([{ key: keyOf(1), user: {} }]), { uses: 1 });
});

t.test('does not count a binding that makes room after its time', async (t) => {
  const { clock, store, timesFull } = open(1);
  store.use([{ key: keyOf(1), user: {} }]);
  clock.advance(RETENTION_MS);
  store.use([{ key: keyOf(2), user: {} }]);
  t.equal(timesFull(), 0);
  t.match(store.use([{ key: keyOf(1), user: {} }]), { uses: 1 });
});

t.test('gives up first what was used longest ago', async (t) => {
  const { store } = open(2);
  store.use([{ key: keyOf(1), user: {} }]);
  store.use([{ key: keyOf(2), user: {} }]);
  store.use([{ key: keyOf(1), user: {} }]);
  store.use([{ key: keyOf(3), user: {} }]);
  t.match(store.use([{ key: keyOf(1), user: {} }]), { uses: 3 });
  t.equal(store.use([{ key: keyOf(2), user: {} }]), null);
});

t.test('holds a binding through a wall clock that jumps', async (t) => {
  const clock = createManualClock();
  let jumpMs = 0;
  const jumping = { nowMs: () => clock.nowMs() + jumpMs, monotonicMs: clock.monotonicMs };
  const store = createMemoryCustodyStore({ clock: jumping, retentionMs: RETENTION_MS });
  store.use([{ key: 'a'.repeat(32), user: { 'device:m': 'd1' } }]);
  for (jumpMs of [3 * RETENTION_MS, -3 * RETENTION_MS, 0])
    t.match(
      store.use([{ key: 'a'.repeat(32), user: { 'device:m': 'd2' } }]),
      { isBoundElsewhere: true },
      `by ${jumpMs}`,
    );
  clock.advance(RETENTION_MS);
  t.match(
    store.use([{ key: 'a'.repeat(32), user: { 'device:m': 'd2' } }]),
    { uses: 1 },
    'and lets it go in time',
  );
});
