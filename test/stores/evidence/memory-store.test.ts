import t from 'tap';
import { createMemoryEvidenceStore } from '../../../src/stores/evidence/memory-store.ts';
import { createEvidence, createManualClock } from '../../contracts/evidence-store.ts';

t.test('answers in place, and names its level', async (t) => {
  const clock = createManualClock();
  const store = createMemoryEvidenceStore({ clock });
  const evidence = createEvidence(clock);
  store.set('stytch:a', evidence);
  t.strictSame(store.get('stytch:a'), { evidence, level: 'memory' });
  t.equal(store.get('stytch:a'), store.get('stytch:a'), 'a hit allocates nothing');
});

t.test('holds no more than entriesMax, and gives up what was used longest ago', async (t) => {
  const clock = createManualClock();
  const store = createMemoryEvidenceStore({ clock, entriesMax: 2 });
  store.set('stytch:a', createEvidence(clock));
  store.set('stytch:b', createEvidence(clock));
  store.get('stytch:a');
  store.set('stytch:c', createEvidence(clock));
  t.ok(store.get('stytch:a'));
  t.equal(store.get('stytch:b'), null);
  t.ok(store.get('stytch:c'));
});

t.test('keeps nothing for longer than ttlCapMs, and nothing past its expiry', async (t) => {
  const clock = createManualClock();
  const store = createMemoryEvidenceStore({ clock, ttlCapMs: 1_000 });
  const startMs = clock.nowMs();
  store.set('stytch:long', createEvidence(clock, { expiresAtMs: startMs + 60_000 }));
  store.set('stytch:short', createEvidence(clock, { expiresAtMs: startMs + 500 }));
  clock.advance(499);
  t.ok(store.get('stytch:short'));
  clock.advance(1);
  t.equal(store.get('stytch:short'), null);
  clock.advance(499);
  t.ok(store.get('stytch:long'));
  clock.advance(1);
  t.equal(store.get('stytch:long'), null);
});

t.test('forgets everything on clear, and calls it no purge', async (t) => {
  const clock = createManualClock();
  const store = createMemoryEvidenceStore({ clock });
  store.onPurge(() => t.fail('nothing was purged'));
  store.set('stytch:a', createEvidence(clock));
  store.clear();
  t.equal(store.get('stytch:a'), null);
});

t.test('a wall clock that is set keeps no evidence alive, in whichever direction', async (t) => {
  const clock = createManualClock();
  let setByMs = 0;
  const wrong = { nowMs: () => clock.nowMs() + setByMs, monotonicMs: clock.monotonicMs };
  const store = createMemoryEvidenceStore({ clock: wrong, ttlCapMs: 5_000 });
  const keep = () => store.set('stytch:a', createEvidence(wrong, { expiresAtMs: wrong.nowMs() + 60_000 }));
  keep();
  setByMs = -3_600_000;
  clock.advance(4_999);
  t.ok(store.get('stytch:a'));
  clock.advance(1);
  t.equal(store.get('stytch:a'), null, 'set back by an hour');
  keep();
  setByMs = 0;
  t.equal(store.get('stytch:a'), null, 'set forward by an hour');
});
