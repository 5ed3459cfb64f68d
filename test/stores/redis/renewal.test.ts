import t from 'tap';
import { createRenewal } from '../../../src/stores/redis/renewal.ts';
import { createManualClock } from '../../support/test-app.ts';

t.test('grants the first wish at once, and the next ones after pauses that double up to the longest', (t) => {
  const clock = createManualClock();
  const mayRenew = createRenewal({ min: 500, max: 5_000 }, clock.monotonicMs);
  const grantedAtMs: number[] = [];
  // A probe twice in each of the shortest pauses, as a server that stays a replica gets them.
  for (let nowMs = 0; nowMs <= 21_000; nowMs += 250) {
    if (mayRenew()) grantedAtMs.push(nowMs);
    clock.advance(250);
  }
  t.same(grantedAtMs, [0, 500, 1_500, 3_500, 7_500, 12_500, 17_500]);
  t.end();
});

t.test('forgets the pauses once nobody has wished for long', (t) => {
  const clock = createManualClock();
  const mayRenew = createRenewal({ min: 500, max: 5_000 }, clock.monotonicMs);
  for (let wish = 0; wish < 10; wish += 1) {
    mayRenew();
    clock.advance(5_000);
  }
  clock.advance(20_000);
  t.equal(mayRenew(), true);
  clock.advance(500);
  t.equal(mayRenew(), true);
  t.end();
});
