import t from 'tap';
import { createMemoryStepUpStore } from '../../../src/stores/step-up/memory-store.ts';
import { hashOf } from '../../contracts/step-up-store.ts';
import { createManualClock } from '../../support/test-app.ts';

const subject = (name: string) => ({ telemetry: hashOf(name), devices: [], account: null });

t.test('knows nothing of a telemetry id that had to make room, for as long as it would have', async (t) => {
  const clock = createManualClock();
  const store = createMemoryStepUpStore({ clock, entriesMax: 2 });
  const stepUp = { atMs: clock.nowMs(), method: null, acr: null };
  for (const name of ['one', 'two', 'three']) await store.add(subject(name), stepUp, 60_000);
  t.equal(store.mayHave(hashOf('one')), true);
  t.equal(store.find(subject('one')), 'unknown');
  t.same(store.find(subject('two')), stepUp);
  t.equal(store.find(subject('four')), 'none');
  t.equal(await store.forget({ telemetry: [hashOf('one')], devices: [], accounts: [] }, 0), 0);
  clock.advance(60_001);
  t.equal(store.find(subject('one')), 'none');
});

t.test('ends a step-up with its life, whatever becomes of the wall clock', async (t) => {
  const clock = createManualClock();
  const store = createMemoryStepUpStore({ clock });
  await store.add(subject('one'), { atMs: clock.nowMs(), method: null, acr: null }, 60_000);
  clock.advance(60_000);
  t.equal(store.find(subject('one')), 'none');
});

t.test('looks at nothing for parts that nobody has', async (t) => {
  const clock = createManualClock();
  const store = createMemoryStepUpStore({ clock });
  await store.add(subject('one'), { atMs: 1, method: null, acr: null }, 60_000);
  t.equal(await store.forget({ telemetry: [], devices: [hashOf('d')], accounts: [hashOf('a')] }, 0), 0);
});

t.test('keeps void whatever was ended, though that had to make room', async (t) => {
  const clock = createManualClock();
  const store = createMemoryStepUpStore({ clock, voidsMax: 2 });
  const stepUp = { atMs: clock.nowMs(), method: null, acr: null };
  clock.advance(1_000);
  for (const name of ['one', 'two', 'three']) {
    await store.forget({ telemetry: [hashOf(name)], devices: [], accounts: [] }, clock.nowMs());
    clock.advance(1_000);
  }
  for (const name of ['one', 'two', 'three', 'four'])
    t.equal(await store.add(subject(name), stepUp, 60_000), 'void', name);
  const later = { ...stepUp, atMs: stepUp.atMs + 2_000 };
  t.equal(await store.add(subject('one'), later, 60_000), 'kept');
  t.equal(await store.add(subject('two'), later, 60_000), 'void');
  clock.advance(30 * 86_400_000);
  t.equal(await store.add(subject('two'), later, 60_000), 'kept', 'it is of no use by now');
});

t.test('counts nothing of before the process began: what was ended then is not known', async (t) => {
  const clock = createManualClock();
  const store = createMemoryStepUpStore({ clock });
  const stepUp = { atMs: clock.nowMs() - 1, method: null, acr: null };
  t.equal(await store.add(subject('one'), stepUp, 60_000), 'void');
  t.equal(store.find(subject('one')), 'none');
});
