import { hash } from 'node:crypto';
import t from 'tap';
import { isInShare } from '../../../src/domain/promotion/is-in-share.ts';

const HASHES = Array.from({ length: 4000 }, (_, account) => hash('sha256', `account ${account}`));

t.test('takes the share that it is told, and keeps whom it has when that grows', async (t) => {
  let last: readonly string[] = [];
  for (const share of [0, 0.01, 0.1, 0.5, 0.9, 1]) {
    const taken = HASHES.filter((one) => isInShare(one, share));
    // Within four standard deviations.
    const most = 4 * Math.sqrt(HASHES.length * share * (1 - share));
    t.ok(Math.abs(taken.length - share * HASHES.length) <= most, `${share}: ${taken.length}`);
    t.ok(last.every((one) => taken.includes(one)));
    last = taken;
  }
  t.equal(last.length, HASHES.length);
});

t.test('takes nothing that is no hash', async (t) => {
  for (const text of ['', 'abc', 'x'.repeat(32), '0.5', 'G'.repeat(13)]) t.notOk(isInShare(text, 1), text);
});
