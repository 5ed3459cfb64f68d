import t from 'tap';
import { createRateMeter } from '../../../src/dashboard/page/rate-meter.ts';

t.test('counts by whole seconds, and forgets what is too old', async (t) => {
  const meter = createRateMeter(3);
  for (const ms of [0, 100, 1500, 2000, 2999, 3001]) meter.count(ms);
  t.strictSame(meter.read(3500), [2, 1, 2]);
  t.strictSame(meter.read(5500), [2, 1, 0]);
  t.strictSame(meter.read(60_000), [0, 0, 0]);
  meter.count(60_000);
  meter.clear();
  t.strictSame(meter.read(61_000), [0, 0, 0]);
});
