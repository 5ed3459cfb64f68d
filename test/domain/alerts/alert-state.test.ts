import t from 'tap';
import { type AlertState, changeBetween, toNextState } from '../../../src/domain/alerts/alert-state.ts';
import type { Reading } from '../../../src/domain/alerts/reading.ts';

const measured = (isOver: boolean): Reading => ({ kind: 'measured', isOver, value: 1, n: 1, about: null });
const OVER = measured(true);
const FINE = measured(false);
const UNKNOWN: Reading = { kind: 'unknown', why: 'unreadable' };
const TOO_FEW: Reading = { kind: 'too_few', n: 3 };

/** The states and what is told, reading by reading, a second apart. */
function walk(readings: readonly Reading[], forMs = 2_000): readonly string[] {
  let state: AlertState | null = null;
  return readings.map((reading, second) => {
    const next: AlertState = toNextState(state, reading, forMs, second * 1_000);
    const change = changeBetween(state, next);
    state = next;
    return change === null ? next.state : `${next.state}!${change}`;
  });
}

t.test('fires once it has been over for long enough, and is over when a reading says so', async (t) => {
  t.same(walk([FINE, OVER, OVER, OVER, OVER, FINE, OVER]), [
    'ok',
    'pending',
    'pending',
    'firing!firing',
    'firing',
    'ok!resolved',
    'pending',
  ]);
  t.same(walk([OVER, FINE], 0), ['firing!firing', 'ok!resolved']);
  t.same(walk([OVER, FINE, OVER, FINE]), ['pending', 'ok', 'pending', 'ok'], 'it begins anew');
});

t.test('takes what cannot be read for neither fine nor bad', async (t) => {
  t.same(walk([UNKNOWN, TOO_FEW, FINE, UNKNOWN]), ['unknown', 'too_few', 'ok', 'unknown']);
  t.same(walk([OVER, UNKNOWN, UNKNOWN, UNKNOWN]), ['pending', 'unknown', 'unknown', 'unknown']);
  t.same(walk([OVER, UNKNOWN, TOO_FEW, OVER]), ['pending', 'unknown', 'too_few', 'firing!firing']);
  t.same(walk([OVER, UNKNOWN, TOO_FEW, FINE], 0), ['firing!firing', 'firing', 'firing', 'ok!resolved']);
});

t.test('keeps since when it is so', async (t) => {
  const first = toNextState(null, OVER, 5_000, 1_000);
  t.match(first, { state: 'pending', sinceMs: 1_000, overSinceMs: 1_000, firedAtMs: null });
  const second = toNextState(first, OVER, 5_000, 3_000);
  t.match(second, { sinceMs: 1_000 });
  const third = toNextState(second, OVER, 5_000, 6_000);
  t.match(third, { state: 'firing', sinceMs: 6_000, overSinceMs: 1_000, firedAtMs: 6_000 });
  t.match(toNextState(third, OVER, 5_000, 9_000), { sinceMs: 6_000, firedAtMs: 6_000 });
  t.match(toNextState(third, FINE, 5_000, 9_000), { state: 'ok', sinceMs: 9_000, firedAtMs: null });
});
