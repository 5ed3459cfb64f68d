import t from 'tap';
import { fromLabelledText } from '../../../src/domain/decision-log/group-keys.ts';
import { delayBucketOf, medianDelayMs } from '../../../src/domain/decision-log/label-delay.ts';

const HOUR_MS = 3_600_000;

t.test('tells the median of delays to within 5 %', async (t) => {
  for (const delayMs of [10 * 60_000, HOUR_MS, 26 * HOUR_MS, 400 * 24 * HOUR_MS]) {
    const median = medianDelayMs(new Map([[delayBucketOf(1_000, 1_000 + delayMs), 3]])) ?? 0;
    t.ok(Math.abs(median / delayMs - 1) <= 0.051, `${median} for ${delayMs}`);
  }
  const delays = new Map([
    [delayBucketOf(0, HOUR_MS), 2],
    [delayBucketOf(0, 90 * 24 * HOUR_MS), 1],
  ]);
  t.ok((medianDelayMs(delays) ?? 0) < 1.1 * HOUR_MS);
  t.equal(medianDelayMs(new Map()), null);
});

t.test('counts what was said before the decision as said at once', async (t) => {
  t.equal(delayBucketOf(HOUR_MS, 0), 0);
  t.equal(medianDelayMs(new Map([[0, 1]])), 60_000);
});

t.test('reads a label with its delay', async (t) => {
  t.same(fromLabelledText('fraud/17'), { label: 'fraud', delay: 17 });
  t.equal(fromLabelledText('none'), null);
});
