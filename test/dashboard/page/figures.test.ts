import t from 'tap';
import {
  cacheShare,
  countsOfProvider,
  failedShare,
  healthOf,
  kindOf,
  ranked,
  recentCounts,
} from '../../../src/dashboard/page/figures.ts';
import type { ProviderState, Stats } from '../../../src/dashboard/page/wire.ts';
import { isDefinite, OUTCOMES } from '../../../src/domain/evidence.ts';

const NOTHING_MEASURED = { p50: null, p95: null, p99: null };

t.test('a call that was not needed is neither a hit nor a miss of a cache', async (t) => {
  const counts = {
    'stytch/hit': 3,
    'stytch/miss': 2,
    'stytch/shared': 1,
    'stytch/none': 9,
  };
  t.equal(cacheShare(counts), 0.5);
  t.equal(cacheShare({ 'stytch/none': 3 }), null);
});

t.test('every indefinite outcome is a failure, and no definite one is', async (t) => {
  for (const outcome of OUTCOMES) t.equal(kindOf(outcome) === 'failed', !isDefinite(outcome), outcome);
  t.equal(kindOf('an-outcome-of-tomorrow'), 'failed');
});

t.test('skipped providers, and ids that were not given, do not count as asked', async (t) => {
  t.equal(failedShare({ ok: 3, timeout: 1, not_given: 100 }), 0.25);
  t.equal(failedShare({ ok: 3, timeout: 1, skipped: 100 }), 0.25);
  t.equal(failedShare({ skipped: 1 }), null);
});

t.test('an open circuit, a suspicion and failures each show in the health of a provider', async (t) => {
  const state: ProviderState = { id: 'stytch', enabled: true, circuit: 'closed', suspect: false };
  t.equal(healthOf(state, { ok: 100 }), 'healthy');
  t.equal(healthOf(state, {}), 'quiet');
  t.equal(healthOf(state, { ok: 90, timeout: 10 }), 'impaired');
  t.equal(healthOf({ ...state, suspect: true }, { ok: 100 }), 'impaired');
  t.equal(healthOf({ ...state, circuit: 'half_open' }, { ok: 100 }), 'impaired');
  t.equal(healthOf({ ...state, circuit: 'open' }, { ok: 100 }), 'down');
  t.equal(healthOf({ ...state, enabled: false }, {}), 'disabled');
});

t.test('counts are told apart by provider, ranked, and summed over the last steps', async (t) => {
  t.strictSame(countsOfProvider({ 'a/ok': 1, 'ab/ok': 2 }, 'a'), { ok: 1 });
  t.strictSame(ranked({ b: 2, a: 2, c: 5, d: 0 }, 3), [
    ['c', 5],
    ['a', 2],
    ['b', 2],
  ]);
  const step = (counts: Record<string, number>) => ({
    at: '',
    total: 0,
    counts,
    latency_ms: NOTHING_MEASURED,
  });
  const stats = { steps: [step({ a: 8 }), step({ a: 1 }), step({ a: 2, b: 1 })] } as unknown as Stats;
  t.strictSame(recentCounts(stats, 2), { a: 3, b: 1 });
});
