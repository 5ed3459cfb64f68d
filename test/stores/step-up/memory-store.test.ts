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
  t.equal(await store.forget({ telemetry: [hashOf('one')], devices: [], accounts: [] }), 0);
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
  t.equal(await store.forget({ telemetry: [], devices: [hashOf('d')], accounts: [hashOf('a')] }), 0);
});
