import t from 'tap';
import { estimateShare } from '../../../src/domain/decision-log/estimate-share.ts';

t.test('tells a share with its interval, as tables of Wilson have it', async (t) => {
  const near = (hits: number, n: number, low: number, high: number) => {
    const found = estimateShare(hits, n);
    t.equal(found.share, hits / n);
    t.equal(found.n, n);
    t.ok(Math.abs(found.low - low) < 5e-4, `${hits} of ${n}: ${found.low}`);
    t.ok(Math.abs(found.high - high) < 5e-4, `${hits} of ${n}: ${found.high}`);
  };
  near(0, 10, 0, 0.2775);
  near(10, 10, 0.7225, 1);
  near(1, 10, 0.0179, 0.4042);
  near(81, 263, 0.2553, 0.3662);
  near(1, 1, 0.2065, 1);
});

t.test('knows nothing of what was not seen', async (t) => {
  t.same(estimateShare(0, 0), { share: null, n: 0, low: 0, high: 1 });
});
