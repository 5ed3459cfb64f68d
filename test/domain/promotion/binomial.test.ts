import t from 'tap';
import { logFactorial, lowerBoundAnytime, upperBound } from '../../../src/domain/promotion/binomial.ts';
import { createSeededRandom } from '../../../src/platform/seeded-random.ts';

const isNear = (found: number, wanted: number, within = 1e-6) => Math.abs(found - wanted) <= within * wanted;

t.test('knows factorials, by the table and by the series', async (t) => {
  t.equal(logFactorial(0), 0);
  t.ok(isNear(logFactorial(5), Math.log(120)));
  // By recurrence, across the seam.
  for (const n of [31, 32, 33, 1000])
    t.ok(isNear(logFactorial(n) - logFactorial(n - 1), Math.log(n), 1e-10), `${n}`);
});

t.test('bounds shares from above as Clopper and Pearson do', async (t) => {
  // Without a hit, and with nothing but one miss, there are closed forms.
  for (const n of [1, 10, 1000, 10_000_000]) t.ok(isNear(upperBound(0, n), 1 - 0.05 ** (1 / n)), `0 of ${n}`);
  t.ok(isNear(upperBound(1, 2), Math.sqrt(0.95)));
  t.ok(isNear(upperBound(999, 1000), 0.95 ** (1 / 1000)));
  // From the tables of the chi-squared distribution, for rare hits: 18.307 / 2 and 31.410 / 2 and so on.
  t.ok(isNear(upperBound(4, 1_000_000), 9.1535e-6, 1e-4));
  t.ok(isNear(upperBound(9, 1_000_000), 15.705e-6, 1e-4));
  t.equal(upperBound(7, 7), 1);
  t.equal(upperBound(0, 0), 1);
});

t.test('bounds shares from below by less than they are, and comes closer with more trials', async (t) => {
  t.equal(lowerBoundAnytime(0, 1000), 0);
  t.equal(lowerBoundAnytime(0, 0), 0);
  let last = 0;
  for (const n of [10, 100, 1000, 100_000, 10_000_000]) {
    const bound = lowerBoundAnytime(n / 10, n);
    t.ok(bound > last && bound < 0.1, `${n}: ${bound}`);
    last = bound;
  }
  t.ok(last > 0.099);
  // The equation that it solves, where there were hits alone: 1 / (n + 1) = share^n * 20.
  t.ok(isNear(lowerBoundAnytime(50, 50), (1 / (20 * 51)) ** (1 / 50)));
});

t.test('is seldom wrong, also for somebody who looks after every decision', async (t) => {
  // The numbers of a simple congruence are too even in a row to be taken for chance.
  const random = createSeededRandom(7);
  const share = 0.02;
  let [wrongBelow, wrongAbove] = [0, 0];
  const runs = 300;
  for (let run = 0; run < runs; run += 1) {
    let hits = 0;
    let isBelow = false;
    for (let trials = 1; trials <= 1000; trials += 1) {
      if (random() < share) hits += 1;
      if (!isBelow && trials % 5 === 0) isBelow = lowerBoundAnytime(hits, trials) > share;
    }
    if (isBelow) wrongBelow += 1;
    if (upperBound(hits, 1000) < share) wrongAbove += 1;
  }
  // One in twenty at most, and three standard deviations of chance.
  const most = runs * 0.05 + 3 * Math.sqrt(runs * 0.05 * 0.95);
  t.ok(wrongBelow <= most, `${wrongBelow} from below`);
  t.ok(wrongAbove <= most, `${wrongAbove} from above`);
  t.ok(wrongAbove > 0, 'the bound is not so wide that it could never be wrong');
});
